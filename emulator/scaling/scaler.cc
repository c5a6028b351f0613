#include "emulator/scaling/scaler.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "emulator/base/proto_time.h"
#include "emulator/scaling/scaling_change.h"

namespace cloudstate::scaling {
namespace {

// Calls that are held again within this time are of the same holding: else a replica that is just full would bring
// about two events for each call.
constexpr absl::Duration kReleasedAfter = absl::Milliseconds(100);

std::string Calls(std::int64_t calls) { return calls == 1 ? "1 call is" : absl::StrCat(calls, " calls are"); }

}  // namespace

Scaler::Scaler(Settings settings, int initial, bool real_processes, base::Strand& strand, Fleet& fleet)
    : settings_(std::move(settings)),
      real_processes_(real_processes),
      strand_(strand),
      fleet_(fleet),
      autoscaler_(settings_.mode),
      wanted_(initial) {
  fleet_.Watch({.replica = lifetime_.Guard(
                    [this](std::uint32_t node, std::string text, std::optional<absl::Duration> cold_start) {
                      OnReplica(node, std::move(text), cold_start);
                    }),
                .held = lifetime_.Guard([this](std::int64_t held) { OnHeld(held); })});
  SetDispatch();
  fleet_.Resize(wanted_);
  Arm();
}

Scaler::~Scaler() {
  strand_.Cancel(timer_);
  strand_.Cancel(release_timer_);
}

void Scaler::Arm() {
  timer_ = strand_.After(settings_.tick, [this] { Tick(); });
}

void Scaler::Tick() {
  Arm();
  const Measurement measurement = Measure();
  if (settings_.Decides()) {
    Follow(autoscaler_.Decide(settings_, measurement));
  } else {
    fleet_.Resize(wanted_);  // a replica that was lost is replaced
  }
}

Measurement Scaler::Measure() {
  return {.now = strand_.Now(),
          .ready = fleet_.counts().ready,
          .wanted = wanted_,
          .upgrading = false,
          .reports = fleet_.TakeReports()};
}

void Scaler::Follow(const Decision& decision) {
  const int before = std::exchange(wanted_, decision.wanted);
  const bool changed = before != wanted_;
  phase_ = decision.phase;
  if (decision.activator_in_path != activator_in_path_) {
    activator_in_path_ = decision.activator_in_path;
    SetDispatch();
  }
  Event event = NewEvent(
      changed ? "decision" : ScalingEvents::kTick,
      changed ? absl::StrCat("scaling ", before, " → ", wanted_, ": ", decision.reason) : decision.reason, before);
  for (const Figure& figure : decision.figures) {
    dev::v1::ScalingFigure& added = *event.add_figures();
    added.set_name(figure.name);
    added.set_value(figure.value);
  }
  if (changed) last_decision_ = event;
  Add(std::move(event));
  fleet_.Resize(wanted_);
}

void Scaler::SetDispatch() { fleet_.SetDispatch(activator_in_path_, settings_.container_concurrency); }

void Scaler::OnHeld(std::int64_t held) {
  const absl::Time now = strand_.Now();
  if (held == 0) {
    if (holding_.has_value()) holding_->last = now;
    if (holding_.has_value() && release_timer_ == base::TimerId::kNone) {
      release_timer_ = strand_.After(kReleasedAfter, [this] { LookWhetherReleased(); });
    }
    return;
  }
  const Fleet::Counts counts = fleet_.counts();
  if (!holding_.has_value()) {
    holding_ = Holding{.began = now, .last = now, .most = held};
    const std::string why = counts.ready > 0 ? "all replicas have as many calls as they take at once"
                            : wanted_ == 0 && !settings_.Decides()
                                ? "0 replicas are wanted; `cloudstate-dev scale set 1` has one start"
                                : "no replica is ready";
    Add(NewEvent("activator", absl::StrCat(Calls(held), " held: ", why), wanted_));
  }
  holding_->last = now;
  holding_->most = std::max(holding_->most, held);
  if (counts.ready > 0 || counts.starting > 0 || starting_from_nothing_) return;
  // Not within the fleet's call.
  starting_from_nothing_ = true;
  strand_.Post(lifetime_.Guard([this] {
    starting_from_nothing_ = false;
    StartFromNothing();
  }));
}

void Scaler::StartFromNothing() {
  const Fleet::Counts counts = fleet_.counts();
  const std::int64_t held = fleet_.held_calls();
  if (counts.ready > 0 || counts.starting > 0 || held == 0) return;
  if (wanted_ > 0 || !settings_.Decides()) return fleet_.Resize(wanted_);
  Follow(autoscaler_.DecideFromNothing(settings_, Measure(), held));
}

void Scaler::LookWhetherReleased() {
  release_timer_ = base::TimerId::kNone;
  if (!holding_.has_value() || fleet_.held_calls() > 0) return;
  const absl::Duration quiet = strand_.Now() - holding_->last;
  if (quiet < kReleasedAfter) {
    release_timer_ = strand_.After(kReleasedAfter - quiet, [this] { LookWhetherReleased(); });
    return;
  }
  const Holding ended = *std::exchange(holding_, std::nullopt);
  Add(NewEvent("activator",
               absl::StrCat("no call is held any more, after ",
                            absl::FormatDuration(absl::Trunc(ended.last - ended.began, absl::Milliseconds(1))), "; ",
                            ended.most, ended.most == 1 ? " was" : " were", " at once at most"),
               wanted_));
}

// One that has become ready tells how long that took as a number as well.
void Scaler::OnReplica(std::uint32_t node, std::string text, std::optional<absl::Duration> cold_start) {
  Event event = NewEvent("replica", std::move(text), wanted_);
  event.set_node(static_cast<std::int32_t>(node));
  if (cold_start.has_value()) {
    dev::v1::ScalingFigure& figure = *event.add_figures();
    figure.set_name(kColdStartFigure);
    figure.set_value(absl::ToDoubleSeconds(*cold_start));
  }
  Add(std::move(event));
}

absl::Status Scaler::Set(const dev::v1::SetScalingRequest& request) {
  absl::StatusOr<ScalingChange> change = ChangeOf(settings_, wanted_, request);
  if (!change.ok()) return change.status();
  if (change->settings.mode != settings_.mode) {
    autoscaler_ = Autoscaler(change->settings.mode);
    last_decision_.reset();
    phase_.clear();
    activator_in_path_ = false;
  }
  settings_ = std::move(change->settings);
  const int before = std::exchange(wanted_, change->wanted);
  SetDispatch();
  Add(NewEvent("set", std::move(change->text), before));
  fleet_.Resize(wanted_);
  return absl::OkStatus();
}

dev::v1::ScalingState Scaler::Describe() const {
  dev::v1::ScalingState state;
  const Fleet::Counts counts = fleet_.counts();
  state.set_mode(std::string(ModeName(settings_.mode)));
  state.set_wanted(wanted_);
  state.set_ready(counts.ready);
  state.set_starting(counts.starting);
  state.set_draining(counts.draining);
  state.set_held_calls(fleet_.held_calls());
  if (last_decision_.has_value()) *state.mutable_last_decision() = *last_decision_;
  for (dev::v1::Replica& replica : fleet_.Describe()) *state.add_replicas() = std::move(replica);
  DescribeSettings(settings_, state);
  state.set_real_processes(real_processes_);
  return state;
}

Scaler::Event Scaler::NewEvent(std::string kind, std::string text, int wanted_before) const {
  Event event;
  *event.mutable_time() = base::ToTimestamp(strand_.WallTime());
  event.set_kind(std::move(kind));
  event.set_text(std::move(text));
  event.set_wanted_before(wanted_before);
  event.set_wanted(wanted_);
  event.set_ready(fleet_.counts().ready);
  event.set_held_calls(fleet_.held_calls());
  event.set_phase(phase_);
  return event;
}

void Scaler::Add(Event event) {
  watchers_.Tell(event);
  events_.Add(std::move(event));
}

void DescribeSettings(const Settings& settings, dev::v1::ScalingState& state) {
  const Settings defaults;
  for (const SettingInfo& info : AllSettings()) {
    dev::v1::ScalingSetting& setting = *state.add_settings();
    setting.set_name(std::string(info.name));
    setting.set_value(Get(settings, info.name));
    setting.set_default_value(Get(defaults, info.name));
    for (const Mode mode : info.modes) setting.add_modes(std::string(ModeName(mode)));
    setting.set_environment(std::string(info.environment));
    setting.set_knative_name(std::string(info.knative_name));
    setting.set_help(std::string(info.help));
  }
}

}  // namespace cloudstate::scaling
