#include "emulator/capacity/player.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "emulator/base/chance.h"
#include "emulator/capacity/account.h"
#include "emulator/capacity/event_heap.h"
#include "emulator/capacity/replica.h"
#include "emulator/scaling/autoscaler.h"

namespace cloudstate::capacity {
namespace {

constexpr std::int64_t kStepsBetweenLooks = 1'000;
constexpr Nanoseconds kPatience = 600 * kSecond;  // after the load, for calls that are still there

// Chance has sources of its own, so that what one thing draws does not change the others.
constexpr std::uint64_t kCostsSeed = 0x9e3779b97f4a7c15;
constexpr std::uint64_t kOwnersSeed = 0x165667b19e3779f9;
constexpr std::uint64_t kColdStartsSeed = 0xc2b2ae3d27d4eb4f;

class Player {
 public:
  Player(const Load& load, const PlayOptions& options)
      : options_(options),
        settings_(options.settings),
        tick_(std::max<Nanoseconds>(1, absl::ToInt64Nanoseconds(settings_.tick))),
        arrivals_(load, options.spacing, options.seed),
        costs_(options.seed ^ kCostsSeed),
        owners_(options.seed ^ kOwnersSeed),
        cold_starts_(options.seed ^ kColdStartsSeed),
        cold_start_(options.cold_start.value_or(
            Spread{Spread::Kind::kConstant, absl::ToInt64Nanoseconds(settings_.cold_start), 0})),
        autoscaler_(settings_.mode),
        account_(load.Length(), options.interval),
        wanted_(options.replicas) {
    if (settings_.Decides()) next_tick_ = tick_;
    for (int i = 0; i < options.replicas; ++i) BecomeReady(Start());
    NoteSupply();
  }

  Played Run() {
    if (!arrivals_.Next(next_arrival_)) next_arrival_ = kNever;
    bool interrupted = false;
    for (std::int64_t steps = 1; !interrupted && Step(); ++steps) {
      interrupted = steps % kStepsBetweenLooks == 0 && options_.interrupted != nullptr && *options_.interrupted;
    }
    Played played = account_.Finish();
    played.interrupted = interrupted;
    return played;
  }

 private:
  // ---- time

  // What comes next; false at the end.
  bool Step() {
    const Nanoseconds event = events_.NextAt();
    const Nanoseconds expiry = NextExpiry();
    const Nanoseconds next = std::min({event, next_arrival_, next_tick_, account_.interval_end(), expiry});
    if (account_.LoadIsOver() && Over(next)) return false;
    now_ = next;
    if (event == next) {
      Handle();
    } else if (expiry == next) {
      Expire();
    } else if (next_arrival_ == next) {
      Arrive();
      if (!arrivals_.Next(next_arrival_)) next_arrival_ = kNever;
    } else if (account_.interval_end() == next) {
      EndInterval();
    } else {
      next_tick_ += tick_;
      Follow(autoscaler_.Decide(settings_, Measure()));
      if (IsEmpty()) SkipTicks();
    }
    return true;
  }

  // Nothing is there, and nothing is wanted: until something comes, each tick would decide the same.
  bool IsEmpty() const {
    return wanted_ == 0 && ready_.empty() && starting_ == 0 && draining_ == 0 && held_.empty() && !panic_ &&
           !options_.keep_ticks;
  }

  void SkipTicks() {
    const Nanoseconds until = std::min({events_.NextAt(), next_arrival_, account_.interval_end()});
    if (until == kNever || until <= next_tick_) return;
    const Nanoseconds skipped = (until - next_tick_ + tick_ - 1) / tick_;
    next_tick_ += skipped * tick_;
    activator_taken_ = next_tick_ - tick_;
  }

  bool Over(Nanoseconds next) const {
    return (next_arrival_ == kNever && account_.UnderWay() == 0) || next > account_.length() + kPatience;
  }

  void At(Nanoseconds delay, Event::Kind kind, std::uint32_t index, std::uint32_t life = 0) {
    events_.Add({now_ + delay, kind, index, life});
  }

  void Handle() {
    const Event event = events_.Take();
    switch (event.kind) {
      case Event::Kind::kSent:
        return calls_[event.index].given_up ? free_.push_back(event.index) : Send(event.index);
      case Event::Kind::kWorked:
        return EndWork(event.index);
      case Event::Kind::kAnswered:
        return calls_[event.index].given_up ? free_.push_back(event.index) : Answer(event.index);
      case Event::Kind::kReady: {
        const PlayedReplica& replica = replicas_[event.index];
        if (replica.state != PlayedReplica::State::kStarting || replica.life != event.life) return;
        BecomeReady(event.index);
        NoteSupply();
        ReleaseHeld();
      }
    }
  }

  // ---- a call's way

  void Arrive() {
    account_.Arrived();
    const CallIndex index = TakeCall();
    const std::optional<std::uint32_t> replica = Pick();
    const bool waits = !replica.has_value() || !HasPlace(replicas_[*replica]);
    if (waits && held_.size() + for_place_ >= settings_.activator_queue) {
      account_.Refused();
      free_.push_back(index);
      return;
    }
    if (waits) account_.Held();
    if (replica.has_value()) return Give(index, *replica);
    held_.Push(index, calls_);
    activator_.Begin(now_);
    if (ready_.empty() && starting_ == 0) StartFromNothing();
  }

  bool HasPlace(const PlayedReplica& replica) const {
    return settings_.container_concurrency == 0 || replica.entered < settings_.container_concurrency;
  }

  CallIndex TakeCall() {
    CallIndex index = 0;
    if (free_.empty()) {
      index = static_cast<CallIndex>(calls_.size());
      calls_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    const CallCost cost = options_.model.Draw(costs_);
    calls_[index].cost = cost;
    calls_[index].arrived = now_;
    calls_[index].given_up = false;
    return index;
  }

  // As the gateway does: in turn; through the activator, who has the fewest calls, in turn where several have. Nobody,
  // if the activator is in the path and none has a place.
  std::optional<std::uint32_t> Pick() {
    if (ready_.empty()) return std::nullopt;
    std::size_t chosen = Next(last_ready_);
    if (activator_in_path_) {
      for (std::size_t i = 1, next = Next(chosen); i < ready_.size(); ++i, next = Next(next)) {
        if (replicas_[ready_[next]].open < replicas_[ready_[chosen]].open) chosen = next;
      }
      if (!HasPlace(replicas_[ready_[chosen]])) return std::nullopt;
    }
    last_ready_ = chosen;
    return ready_[chosen];
  }
  std::size_t Next(std::size_t place) const { return place + 1 < ready_.size() ? place + 1 : 0; }

  void ReleaseHeld() {
    while (!held_.empty()) {
      const std::optional<std::uint32_t> replica = Pick();
      if (!replica.has_value()) return;
      const CallIndex index = held_.Pop(calls_);
      activator_.End(now_, now_ - calls_[index].arrived);
      Give(index, *replica);
    }
  }

  void Give(CallIndex index, std::uint32_t to) {
    PlayedReplica& replica = replicas_[to];
    calls_[index].taker = to;
    ++replica.open;
    replica.requests.Begin(now_);
    calls_[index].given = now_;
    open_.Add(index, calls_);
    if (HasPlace(replica)) return Enter(index, replica);
    calls_[index].stage = PlayedCall::Stage::kForPlace;
    replica.for_place.Insert(index, calls_);
    ++for_place_;
  }

  CallIndex TakeFromPlaceQueue(PlayedReplica& replica) {
    --for_place_;
    return replica.for_place.Pop(calls_);
  }

  // As the activator does: what waits for the replica's places waits for any replica, in the order in which it came.
  void TakeBack(PlayedReplica& replica) {
    while (!replica.for_place.empty()) {
      const CallIndex index = TakeFromPlaceQueue(replica);
      open_.Remove(index, calls_);
      --replica.open;
      replica.requests.Leave(now_);
      held_.Insert(index, calls_);
      activator_.Begin(now_);
    }
  }

  void Enter(CallIndex index, PlayedReplica& replica) {
    ++replica.entered;
    calls_[index].stage = PlayedCall::Stage::kOnItsWay;
    if (const Nanoseconds before = calls_[index].cost.before; before > 0) return At(before, Event::Kind::kSent, index);
    Send(index);
  }

  void Send(CallIndex index) {
    PlayedCall& call = calls_[index];
    const bool moves = options_.model.work_at == ServiceModel::WorkAt::kOwner && !ready_.empty();
    call.worker = moves ? ready_[base::Below(owners_, ready_.size())] : call.taker;
    call.sent = now_;
    call.stage = PlayedCall::Stage::kWorked;
    PlayedReplica& replica = replicas_[call.worker];
    ++replica.works;
    replica.user_function.Begin(now_);
    if (options_.model.workers > 0 && replica.busy >= options_.model.workers) {
      replica.for_worker.Push(index, calls_);
    } else {
      ++replica.busy;
      At(call.cost.service, Event::Kind::kWorked, index);
    }
  }

  void EndWork(CallIndex index) {
    PlayedCall& call = calls_[index];
    PlayedReplica& replica = replicas_[call.worker];
    if (!call.given_up) replica.user_function.End(now_, now_ - call.sent);
    if (replica.for_worker.empty()) {
      --replica.busy;
    } else {
      const CallIndex next = replica.for_worker.Pop(calls_);
      At(calls_[next].cost.service, Event::Kind::kWorked, next);
    }
    if (call.cost.journal > 0) replica.journal.Add(call.cost.journal);
    --replica.works;
    LookWhetherDrained(replica);
    if (call.given_up) return free_.push_back(index);
    call.stage = PlayedCall::Stage::kOnItsWayBack;
    if (call.cost.after > 0) return At(call.cost.after, Event::Kind::kAnswered, index);
    Answer(index);
  }

  void Answer(CallIndex index) {
    account_.Answered(now_ - calls_[index].arrived);
    free_.push_back(index);
    Close(index);
  }

  // Its replica has it no more.
  void Close(CallIndex index) {
    const PlayedCall& call = calls_[index];
    PlayedReplica& replica = replicas_[call.taker];
    replica.requests.End(now_, now_ - call.given);
    open_.Remove(index, calls_);
    --replica.open;
    if (call.stage != PlayedCall::Stage::kForPlace) {
      --replica.entered;
      if (!replica.for_place.empty()) Enter(TakeFromPlaceQueue(replica), replica);
    }
    if (!held_.empty()) ReleaseHeld();
    LookWhetherDrained(replica);
  }

  // ---- the relay timeout, which counts from when a call came, whoever has it

  Nanoseconds NextExpiry() const {
    Nanoseconds first = kNever;
    if (!held_.empty()) first = calls_[held_.front()].arrived;
    if (open_.oldest() != kNoCall) first = std::min(first, calls_[open_.oldest()].arrived);
    return first == kNever ? kNever : first + options_.relay_timeout;
  }

  void Expire() {
    account_.Unanswered();
    if (!held_.empty() && calls_[held_.front()].arrived + options_.relay_timeout == now_) {
      const CallIndex index = held_.Pop(calls_);
      activator_.End(now_, now_ - calls_[index].arrived);
      free_.push_back(index);
      return;
    }
    const CallIndex index = open_.oldest();
    PlayedCall& call = calls_[index];
    if (call.stage == PlayedCall::Stage::kForPlace) {
      TakeFromPlaceQueue(replicas_[call.taker]);  // those that wait came later
      free_.push_back(index);
    } else {
      // The user function works on it all the same.
      call.given_up = true;
      if (call.stage == PlayedCall::Stage::kWorked) replicas_[call.worker].user_function.End(now_, now_ - call.sent);
    }
    Close(index);
  }

  void LookWhetherDrained(PlayedReplica& replica) {
    if (replica.state != PlayedReplica::State::kDraining || replica.open > 0 || replica.works > 0) return;
    --draining_;
    Go(replica);
    if (wanted_ == 0) Resize(0);
    NoteSupply();
  }

  // ---- replicas

  std::uint32_t Start() {
    std::uint32_t index = 0;
    while (index < replicas_.size() && replicas_[index].state != PlayedReplica::State::kGone) ++index;
    if (index == replicas_.size()) replicas_.emplace_back();
    const std::uint32_t life = replicas_[index].life + 1;
    PlayedReplica& replica = replicas_[index] = PlayedReplica();
    replica.state = PlayedReplica::State::kStarting;
    replica.life = life;
    replica.begin = now_;
    ++starting_;
    return index;
  }

  void BecomeReady(std::uint32_t index) {
    PlayedReplica& replica = replicas_[index];
    replica.state = PlayedReplica::State::kReady;
    replica.taken = now_;
    --starting_;
    ready_.insert(std::lower_bound(ready_.begin(), ready_.end(), index), index);
    account_.Ready(now_, ready_.size());
  }

  void Go(PlayedReplica& replica) {
    replica.state = PlayedReplica::State::kGone;
    if (!account_.LoadIsOver()) account_.Lived(replica.begin, now_);
    AddTo(gone_, replica);
  }

  // Starting ones go first, then those of the highest numbers.
  void Resize(int wanted) {
    int there = static_cast<int>(ready_.size()) + starting_;
    for (; there < wanted; ++there) {
      const std::uint32_t index = Start();
      account_.ColdStart(now_);
      At(cold_start_.Draw(cold_starts_), Event::Kind::kReady, index, replicas_[index].life);
    }
    for (std::size_t index = replicas_.size(); index-- > 0 && there > wanted;) {
      if (replicas_[index].state != PlayedReplica::State::kStarting) continue;
      --starting_;
      --there;
      Go(replicas_[index]);
    }
    for (; there > wanted; --there) {
      // The last one stays until all others have gone; until then it can be called back.
      if (ready_.size() == 1 && draining_ > 0) break;
      Drain(ready_.back());
    }
    ReleaseHeld();
  }

  void Drain(std::uint32_t index) {
    PlayedReplica& replica = replicas_[index];
    ready_.erase(std::find(ready_.begin(), ready_.end(), index));
    account_.Ready(now_, ready_.size());
    TakeBack(replica);
    if (replica.open == 0 && replica.works == 0) {
      Go(replica);
    } else {
      replica.state = PlayedReplica::State::kDraining;
      ++draining_;
    }
  }

  // ---- scaling, as scaling::Scaler and scaling::ClusterFleet do it

  scaling::Measurement Measure() {
    scaling::Measurement measurement{.now = ToTime(now_),
                                     .ready = static_cast<int>(ready_.size()),
                                     .wanted = wanted_,
                                     .upgrading = false,
                                     .reports = {}};
    measurement.reports.reserve(ready_.size() + 1);
    scaling::NodeReport& held = measurement.reports.emplace_back();
    const Nanoseconds length = now_ - std::exchange(activator_taken_, now_);
    held.end = ToTime(now_);
    held.length = absl::Nanoseconds(length);
    held.requests = activator_.Take(now_, length);
    for (std::uint32_t index : ready_) measurement.reports.push_back(replicas_[index].TakeReport(index + 1, now_));
    return measurement;
  }

  void StartFromNothing() {
    if (!settings_.Decides()) return;
    if (wanted_ > 0) return Resize(wanted_);
    Follow(autoscaler_.DecideFromNothing(settings_, Measure(), held_.size()));
  }

  void Follow(scaling::Decision decision) {
    const int before = std::exchange(wanted_, decision.wanted);
    if (activator_in_path_ != decision.activator_in_path) {
      activator_in_path_ = decision.activator_in_path;
      for (PlayedReplica& replica : replicas_) TakeBack(replica);
    }
    panic_ = decision.phase == "panic";
    Resize(wanted_);
    NoteSupply();
    if (before != wanted_ || options_.keep_ticks) account_.Decided({now_, before, std::move(decision)});
  }

  // ---- what is told of it

  void NoteSupply() { account_.Note({now_, wanted_, static_cast<int>(ready_.size()), starting_, draining_, panic_}); }

  void EndInterval() {
    Account::Integrals integrals = gone_;
    for (PlayedReplica& replica : replicas_) {
      if (replica.state != PlayedReplica::State::kGone) AddTo(integrals, replica);
    }
    integrals.held = static_cast<double>(activator_.integral(now_));
    account_.EndInterval(now_, integrals, wanted_);
    if (!account_.LoadIsOver()) return;
    for (const PlayedReplica& replica : replicas_) {
      if (replica.state != PlayedReplica::State::kGone) account_.Lived(replica.begin, now_);
    }
  }

  void AddTo(Account::Integrals& integrals, PlayedReplica& replica) const {
    integrals.requests += static_cast<double>(replica.requests.integral(now_));
    integrals.user_function += static_cast<double>(replica.user_function.integral(now_));
  }

  const PlayOptions& options_;
  const scaling::Settings& settings_;
  const Nanoseconds tick_;
  Arrivals arrivals_;
  base::Random costs_;
  base::Random owners_;
  base::Random cold_starts_;
  const Spread cold_start_;
  scaling::Autoscaler autoscaler_;
  Account account_;

  Nanoseconds now_ = 0;
  Nanoseconds next_arrival_ = kNever;
  Nanoseconds next_tick_ = kNever;
  EventHeap events_;

  std::vector<PlayedCall> calls_;
  std::vector<CallIndex> free_;
  OpenCalls open_;
  CallQueue held_;
  std::int64_t for_place_ = 0;  // calls that wait for places of one replica or another; the activator has them, too
  PlayedMeter activator_;       // of `held_`
  Nanoseconds activator_taken_ = 0;

  std::vector<PlayedReplica> replicas_;
  std::vector<std::uint32_t> ready_;  // indices, ascending
  std::size_t last_ready_ = 0;        // that was given a call
  int starting_ = 0;
  int draining_ = 0;
  int wanted_;
  bool activator_in_path_ = false;
  bool panic_ = false;

  Account::Integrals gone_;  // of replicas that are gone
};

}  // namespace

Played Play(const Load& load, const PlayOptions& options) { return Player(load, options).Run(); }

}  // namespace cloudstate::capacity
