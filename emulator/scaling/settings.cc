#include "emulator/scaling/settings.h"

#include <charconv>
#include <cmath>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/base/did_you_mean.h"
#include "emulator/base/view.h"
#include "emulator/scaling/settings_table.h"

namespace cloudstate::scaling {
namespace {

constexpr std::string_view kAnnotation = "autoscaling.knative.dev/";
constexpr std::string_view kConfigMap = "config-autoscaler: ";
constexpr std::string_view kSpecification = "spec: ";

std::string_view Stripped(std::string_view name, std::string_view prefix) {
  while (!prefix.empty() && prefix.back() == ' ') prefix.remove_suffix(1);
  if (name.substr(0, prefix.size()) != prefix) return name;
  name.remove_prefix(prefix.size());
  while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
  return name;
}

// "target" for all of "target", "autoscaling.knative.dev/target".
std::string_view WithoutPrefix(std::string_view knative_name) {
  return Stripped(Stripped(Stripped(knative_name, kAnnotation), kConfigMap), kSpecification);
}

// Keys of Knative's ConfigMap, by which it has defaults for annotations of other names; and the settings that they are.
constexpr std::pair<std::string_view, std::string_view> kDefaultsOfAnnotations[] = {
    {"stable-window", "stable-window"}, {"container-concurrency-target-percentage", "scale-target-utilization"}};

// "min-scale" for "minScale", as older annotations were written.
std::string WithDashes(std::string_view name) {
  std::string dashed;
  for (const char c : name) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c))) dashed += '-';
    dashed += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  return dashed;
}

const SettingRow* FindByOurName(std::string_view name) {
  for (const SettingRow& row : SettingRows()) {
    if (row.info.name == name) return &row;
  }
  return nullptr;
}

const SettingRow* Find(std::string_view name) {
  if (const SettingRow* row = FindByOurName(name)) return row;
  const std::string_view short_name = WithoutPrefix(name);
  if (short_name.empty()) return nullptr;
  const std::string dashed = WithDashes(short_name);
  for (const SettingRow& row : SettingRows()) {
    const std::string_view knative_name = WithoutPrefix(row.info.knative_name);
    if (knative_name == short_name || knative_name == dashed) return &row;
  }
  for (const auto& [key, ours] : kDefaultsOfAnnotations) {
    if (key == short_name) return FindByOurName(ours);
  }
  return nullptr;
}

absl::Status NoSuchSetting(std::string_view name) {
  std::vector<std::string> names;
  for (const SettingRow& row : SettingRows()) names.emplace_back(row.info.name);
  // Knative's name is not offered for one of the emulator's, which are near enough to it.
  std::string hint = base::DidYouMean(base::ToAbsl(WithoutPrefix(name)), names);
  if (hint.empty()) hint = absl::StrCat("; there are ", absl::StrJoin(names, ", "));
  return absl::NotFoundError(absl::StrCat("scaling has no setting '", base::ToAbsl(name), "'", hint));
}

absl::Status WrongValue(const SettingRow& row, std::string_view value, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("'", base::ToAbsl(value), "' ", base::ToAbsl(what), "; ",
                                                 base::ToAbsl(row.info.name), " takes ",
                                                 base::ToAbsl(row.range.words)));
}

bool IsIn(const SettingRange& range, double value) {
  if (range.besides.has_value() && value == *range.besides) return true;
  return value <= range.most && (range.above_least ? value > range.least : value >= range.least);
}

// Each of these tells what is wrong with the text, or nothing.
std::string_view Parse(std::string_view text, const SettingRange& range, double& value) {
  double parsed = 0;
  if (range.percent && !text.empty() && text.back() == '%') text.remove_suffix(1);
  if (!absl::SimpleAtod(base::ToAbsl(text), &parsed) || !std::isfinite(parsed)) return "is not a number";
  if (!IsIn(range, parsed)) return "is out of range";
  value = parsed;
  return "";
}

std::string_view Parse(std::string_view text, const SettingRange& range, int& value) {
  int parsed = 0;
  if (!absl::SimpleAtoi(base::ToAbsl(text), &parsed)) return "is not a whole number that is small enough";
  if (!IsIn(range, parsed)) return "is out of range";
  value = parsed;
  return "";
}

std::string_view Parse(std::string_view text, const SettingRange&, bool& value) {
  if (text != "true" && text != "false") return "is neither";
  value = text == "true";
  return "";
}

std::string_view Parse(std::string_view text, const SettingRange& range, absl::Duration& value) {
  absl::Duration parsed;
  if (!absl::ParseDuration(base::ToAbsl(text), &parsed)) {
    double number = 0;
    return absl::SimpleAtod(base::ToAbsl(text), &number) ? "has no unit such as s or ms" : "is not a time";
  }
  if (!IsIn(range, absl::ToDoubleSeconds(parsed))) return "is out of range";
  value = parsed;
  return "";
}

std::string_view Parse(std::string_view text, const SettingRange&, KnativeSettings::Metric& value) {
  if (text == "cpu" || text == "memory") return "is of Kubernetes' own autoscaler, which there is none of here";
  if (text != "concurrency" && text != "rps") return "is no metric";
  value = text == "rps" ? KnativeSettings::Metric::kRps : KnativeSettings::Metric::kConcurrency;
  return "";
}

std::string Text(double value) {
  char digits[400];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof(digits), value, std::chars_format::fixed);
  return {digits, end.ptr};
}
std::string Text(int value) { return absl::StrCat(value); }
std::string Text(bool value) { return value ? "true" : "false"; }
std::string Text(KnativeSettings::Metric value) {
  return value == KnativeSettings::Metric::kRps ? "rps" : "concurrency";
}
std::string Text(absl::Duration value) {
  const bool whole = value == absl::Trunc(value, absl::Seconds(1));
  return whole ? absl::StrCat(absl::ToInt64Seconds(value), "s") : absl::FormatDuration(value);
}

std::string Contradiction(std::string_view one, std::string_view text, std::string_view other,
                          std::string_view advice) {
  return absl::StrCat(base::ToAbsl(one), " is ", base::ToAbsl(text), ", ", base::ToAbsl(other), "; ",
                      base::ToAbsl(advice));
}

// Samples of a tick each are kept for the whole window, and looked through at each tick.
constexpr int kMostTicksOfWindow = 10'000;

std::string CheckWindow(std::string_view name, absl::Duration window, absl::Duration tick) {
  if (window <= tick * kMostTicksOfWindow) return "";
  return Contradiction(name, Text(window), absl::StrCat("more than ", kMostTicksOfWindow, " ticks of ", Text(tick)),
                       "make it shorter, or scale-tick longer");
}

std::string CheckCloudstate(const Settings& settings) {
  const CloudstateSettings& cloudstate = settings.cloudstate;
  if (cloudstate.request_rate_window < settings.tick) {
    return Contradiction("request-rate-window", Text(cloudstate.request_rate_window),
                         absl::StrCat("shorter than a tick of ", Text(settings.tick)),
                         "make it longer, or scale-tick shorter");
  }
  if (cloudstate.request_rate_window > cloudstate.target_concurrency_window) {
    return Contradiction(
        "request-rate-window", Text(cloudstate.request_rate_window),
        absl::StrCat("longer than target-concurrency-window, ", Text(cloudstate.target_concurrency_window)),
        "make it shorter: nothing older is kept");
  }
  return CheckWindow("target-concurrency-window", cloudstate.target_concurrency_window, settings.tick);
}

// In every mode: what holds when the mode changes has to fit together as well.
std::string CheckLimits(const Settings& settings) {
  const KnativeSettings& knative = settings.knative;
  const std::string most = absl::StrCat("more than max-scale, ", settings.MaxScale());
  constexpr std::string_view kFewer = "take fewer, or raise max-scale";
  if (knative.min_scale > settings.MaxScale()) {
    return Contradiction("min-scale", Text(knative.min_scale), most, kFewer);
  }
  if (knative.initial_scale > settings.MaxScale()) {
    return Contradiction("initial-scale", Text(knative.initial_scale), most, kFewer);
  }
  if (knative.activation_scale > settings.MaxScale()) {
    return Contradiction("activation-scale", Text(knative.activation_scale), most, kFewer);
  }
  return "";
}

std::string CheckKnative(const Settings& settings) {
  const KnativeSettings& knative = settings.knative;
  const absl::Duration panic_window = knative.PanicWindow();
  if (panic_window < settings.tick) {
    return Contradiction("the panic window", Text(panic_window),
                         absl::StrCat("shorter than a tick of ", Text(settings.tick)),
                         "raise stable-window or panic-window-percentage, or make scale-tick shorter");
  }
  return CheckWindow("stable-window", knative.stable_window, settings.tick);
}

constexpr std::pair<Mode, std::string_view> kModes[] = {
    {Mode::kOff, "off"}, {Mode::kManual, "manual"}, {Mode::kCloudstate, "cloudstate"}, {Mode::kKnative, "knative"}};

}  // namespace

std::string_view ModeName(Mode mode) {
  for (const auto& [each, name] : kModes) {
    if (each == mode) return name;
  }
  return "";
}

absl::Status ParseMode(std::string_view name, Mode& mode) {
  for (const auto& [each, text] : kModes) {
    if (text != name) continue;
    mode = each;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", base::ToAbsl(name), "' is no way to scale; there are off, manual, cloudstate and knative"));
}

const std::vector<SettingInfo>& AllSettings() {
  static const std::vector<SettingInfo> all = [] {
    std::vector<SettingInfo> infos;
    for (const SettingRow& row : SettingRows()) infos.push_back(row.info);
    return infos;
  }();
  return all;
}

const SettingInfo* FindSetting(std::string_view name) {
  const SettingRow* row = Find(name);
  return row == nullptr ? nullptr : &row->info;
}

absl::Status Set(Settings& settings, std::string_view name, std::string_view value) {
  const SettingRow* row = Find(name);
  if (row == nullptr) return NoSuchSetting(name);
  const std::string_view wrong =
      std::visit([&](auto field) { return Parse(value, row->range, field(settings)); }, row->field);
  return wrong.empty() ? absl::OkStatus() : WrongValue(*row, value, wrong);
}

absl::Status SetAll(Settings& settings, const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values) {
    const absl::Status status = Set(settings, name, value);
    // There is no such thing as a place where it was not found.
    if (!status.ok()) return absl::InvalidArgumentError(status.message());
  }
  return absl::OkStatus();
}

std::string Get(const Settings& settings, std::string_view name) {
  const SettingRow* row = Find(name);
  if (row == nullptr) return "";
  Settings copy = settings;  // places are of settings that can be changed
  return std::visit([&](auto field) { return Text(field(copy)); }, row->field);
}

absl::Status Check(const Settings& settings) {
  std::string wrong;
  if (settings.mode != Mode::kOff) wrong = CheckLimits(settings);
  if (wrong.empty() && settings.mode == Mode::kCloudstate) wrong = CheckCloudstate(settings);
  if (wrong.empty() && settings.mode == Mode::kKnative) wrong = CheckKnative(settings);
  return wrong.empty() ? absl::OkStatus() : absl::InvalidArgumentError(wrong);
}

}  // namespace cloudstate::scaling
