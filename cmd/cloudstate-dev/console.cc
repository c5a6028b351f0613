#include "cmd/cloudstate-dev/console.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cloudstate/dev/v1/scaling.pb.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/ready_lines.h"
#include "cmd/cloudstate-dev/web_browser.h"
#include "emulator/runtime/observer_texts.h"
#include "emulator/testing/json_value.h"

namespace cloudstate::cli {
namespace {

using testing::NumberValue;
using testing::TextValue;

google::protobuf::Struct With(std::vector<std::pair<std::string, testing::Json>> fields) {
  google::protobuf::Struct result;
  for (auto& [name, value] : fields) (*result.mutable_fields())[name] = std::move(value);
  return result;
}

}  // namespace

void Console::OnListening(const runtime::Emulator& emulator) {
  client_address_ = emulator.client_address();
  const bool ephemeral = settings_.durability == journal::Durability::kEphemeral;
  const std::string kept = ephemeral ? "nowhere (--ephemeral)" : settings_.data_directory;
  Show("started", Style::kPlain,
       absl::StrCat(Styled(absl::StrCat("cloudstate-dev ", settings_.version), Style::kBold, terminal_),
                    "\n  clients        ", client_address_, "  (gRPC and HTTP)\n  dashboard      ",
                    LocalUrl(emulator.admin_address()), "  (and the admin contract)\n  metrics        http://",
                    emulator.metrics_address(), "/metrics\n  user function  ", emulator.user_function_address(),
                    "\n  journal        ", kept, settings_.command.empty() ? "\nwaiting for the user function" : ""),
       With({{"version", TextValue(settings_.version)},
             {"clientAddress", TextValue(client_address_)},
             {"adminAddress", TextValue(emulator.admin_address())},
             {"dashboard", TextValue(LocalUrl(emulator.admin_address()))},
             {"metricsAddress", TextValue(emulator.metrics_address())},
             {"userFunctionAddress", TextValue(emulator.user_function_address())},
             {"dataDirectory", TextValue(ephemeral ? "" : settings_.data_directory)}}));
}

void Console::ShowStop() { Show("stopping", Style::kDim, "stopping; Ctrl-C again ends at once"); }

void Console::OnReady(const userfunction::Specification& specification) {
  Show("ready", Style::kPlain, Describe(specification),
       With({{"serviceName", TextValue(specification.info.service_name())},
             {"dialect", TextValue(specification.dialect == userfunction::Dialect::k0_1 ? "0.1" : "0.2")}}));
}

void Console::OnLost(const std::string& reason) {
  Show("lost", Style::kWarning, absl::StrCat("user function lost: ", reason, "; waiting for it to come back"),
       With({{"reason", TextValue(reason)}}));
}

void Console::OnRejected(const std::string& problem) {
  Show("rejected", Style::kBad,
       absl::StrCat(runtime::RejectedText(problem), "\n  It will be asked again when it has been restarted."),
       With({{"problem", TextValue(problem)}}));
}

void Console::OnTrouble(const std::string& trouble) {
  Show("trouble", Style::kWarning, trouble, With({{"text", TextValue(trouble)}}));
}

void Console::OnComplaint(const std::string& complaint) {
  const std::string text = Printable(complaint);
  Show("complaint", Style::kBad, text, With({{"text", TextValue(text)}}));
}

void Console::OnStarted(const std::string& label, int pid, int restarts) {
  Show("userFunctionStarted", Style::kDim, runtime::StartedText(label, pid, restarts),
       With({{"pid", NumberValue(pid)}, {"restarts", NumberValue(restarts)}}));
}

void Console::OnEnded(const std::string& label, const std::string& how, absl::Duration again_in) {
  const bool again = again_in > absl::ZeroDuration();
  Show("userFunctionEnded", again ? Style::kWarning : Style::kDim, runtime::EndedText(label, how, again_in),
       With({{"how", TextValue(label + how)}, {"againInSeconds", NumberValue(absl::ToDoubleSeconds(again_in))}}));
}

void Console::OnChanged(const std::string& path) {
  Show("changed", Style::kDim, runtime::ChangedText(path), With({{"path", TextValue(path)}}));
}

void Console::OnOutput(std::string_view line) {
  Show("output", Style::kPlain, absl::StrCat(Styled("user function |", Style::kDim, terminal_), " ", Printable(line)),
       With({{"line", TextValue(Printable(line))}}));
}

void Console::OnScaling(const dev::v1::ScalingEvent& event) {
  const bool changes = event.kind() != "replica" && event.wanted() != event.wanted_before();
  const bool cold_start = event.kind() == "replica" && !event.figures().empty();
  if (!changes && !cold_start) return;
  Show("scaling", changes ? Style::kPlain : Style::kDim, Printable(event.text()),
       With({{"kind", TextValue(event.kind())},
             {"text", TextValue(event.text())},
             {"node", NumberValue(event.node())},
             {"wanted", NumberValue(event.wanted())},
             {"ready", NumberValue(event.ready())}}));
}

void Console::Show(const std::string& event, Style style, const std::string& text, Fields fields) {
  std::string line;
  if (json_) {
    (*fields.mutable_fields())["event"] = TextValue(event);
    line = ToJson(fields) + "\n";
  } else {
    line = Styled(text, style, terminal_) + "\n";
  }
  std::lock_guard lock(mutex_);
  Print(line);
}

std::string Console::Describe(const userfunction::Specification& specification) const {
  const ServiceInfo& info = specification.info;
  // Not every library names its service, or itself.
  std::string text = Styled("ready", Style::kGood, terminal_) + ":";
  for (const std::string* part : {&info.service_name(), &info.service_version()}) {
    if (!part->empty()) absl::StrAppend(&text, " ", Printable(*part));
  }
  absl::StrAppend(&text, " protocol ", specification.dialect == userfunction::Dialect::k0_1 ? "0.1" : "0.2");
  if (!info.support_library_name().empty()) {
    absl::StrAppend(&text, ", ", Printable(info.support_library_name()), " ",
                    Printable(info.support_library_version()));
  }
  return absl::StrCat(text, "\n", ServiceLines(specification), TryIt(specification));
}

std::string Console::TryIt(const userfunction::Specification& specification) const {
  const std::vector<std::string> lines = ReadyLines(specification, client_address_);
  if (lines.empty()) return "";
  std::string text = Styled("try:", Style::kBold, terminal_);
  for (const std::string& line : lines) absl::StrAppend(&text, "\n  ", line);
  return text;
}

}  // namespace cloudstate::cli
