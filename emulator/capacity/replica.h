#pragma once

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "emulator/capacity/load.h"
#include "emulator/capacity/service_model.h"
#include "emulator/scaling/measurement.h"

namespace cloudstate::capacity {

// What a call of the load is known by while it is under way.
using CallIndex = std::uint32_t;
inline constexpr CallIndex kNoCall = ~CallIndex{0};

struct PlayedCall {
  CallCost cost;
  Nanoseconds arrived = 0;
  Nanoseconds given = 0;      // to its replica
  Nanoseconds sent = 0;       // to the user function
  std::uint32_t taker = 0;    // index of the replica
  std::uint32_t worker = 0;   // of the one whose user function works on it
  CallIndex next = kNoCall;   // in the queue that it waits in
  CallIndex newer = kNoCall;  // in the list of those that replicas have
  CallIndex older = kNoCall;
  enum class Stage : std::uint8_t { kForPlace, kOnItsWay, kWorked, kOnItsWayBack };
  Stage stage = Stage::kForPlace;
  bool given_up = false;  // by the caller; what works on it doesn't know
};

// Calls that replicas have and have not answered, in the order in which they came. Linked through them.
class OpenCalls {
 public:
  // The one that came first, if any.
  CallIndex oldest() const { return oldest_; }
  void Add(CallIndex call, std::vector<PlayedCall>& calls) {
    CallIndex older = newest_;  // unless it was held meanwhile
    while (older != kNoCall && calls[older].arrived > calls[call].arrived) older = calls[older].older;
    const CallIndex newer = older == kNoCall ? oldest_ : calls[older].newer;
    calls[call].older = older;
    calls[call].newer = newer;
    (older == kNoCall ? oldest_ : calls[older].newer) = call;
    (newer == kNoCall ? newest_ : calls[newer].older) = call;
  }
  void Remove(CallIndex call, std::vector<PlayedCall>& calls) {
    const CallIndex older = calls[call].older;
    const CallIndex newer = calls[call].newer;
    (older == kNoCall ? oldest_ : calls[older].newer) = newer;
    (newer == kNoCall ? newest_ : calls[newer].older) = older;
  }

 private:
  CallIndex oldest_ = kNoCall;
  CallIndex newest_ = kNoCall;
};

// Calls that wait, first come, first served. Linked through the calls themselves.
class CallQueue {
 public:
  bool empty() const { return size_ == 0; }
  std::int64_t size() const { return size_; }
  void Push(CallIndex call, std::vector<PlayedCall>& calls) {
    calls[call].next = kNoCall;
    (empty() ? first_ : calls[last_].next) = call;
    last_ = call;
    ++size_;
  }
  // Before those that came to the emulator later.
  void Insert(CallIndex call, std::vector<PlayedCall>& calls) {
    const auto is_later = [&](CallIndex other) { return calls[other].arrived > calls[call].arrived; };
    if (empty() || !is_later(last_)) return Push(call, calls);
    CallIndex* place = &first_;
    while (!is_later(*place)) place = &calls[*place].next;
    calls[call].next = *place;
    *place = call;
    ++size_;
  }
  // There is one, as for Pop.
  CallIndex front() const { return first_; }
  CallIndex Pop(const std::vector<PlayedCall>& calls) {
    const CallIndex call = first_;
    first_ = calls[call].next;
    --size_;
    return call;
  }

 private:
  CallIndex first_ = kNoCall;
  CallIndex last_ = kNoCall;
  std::int64_t size_ = 0;
};

// trace::LoadMeter in plain numbers: what the emulator measures, an autoscaler is told here, too.
class PlayedMeter {
 public:
  void Begin(Nanoseconds now) {
    Advance(now);
    ++open_;
  }
  void End(Nanoseconds now, Nanoseconds took) {
    Advance(now);
    --open_;
    Count(took);
  }
  // One that is under way elsewhere from now on.
  void Leave(Nanoseconds now) {
    Advance(now);
    --open_;
  }
  // One that has not been counted while it was under way.
  void Add(Nanoseconds took) {
    integral_ += took;
    Count(took);
  }
  // Since the call before, which was `length` ago; nothing counts twice.
  scaling::Usage Take(Nanoseconds now, Nanoseconds length);
  Nanoseconds integral(Nanoseconds now) {
    Advance(now);
    return integral_;
  }

 private:
  void Advance(Nanoseconds now) {
    integral_ += (now - last_) * open_;
    last_ = now;
  }
  void Count(Nanoseconds took) {
    time_ += took;
    ++ended_;
  }

  std::int64_t open_ = 0;
  Nanoseconds last_ = 0;
  Nanoseconds integral_ = 0;
  Nanoseconds taken_ = 0;  // of the integral
  Nanoseconds time_ = 0;
  std::int64_t ended_ = 0;
};

struct PlayedReplica {
  enum class State { kGone, kStarting, kReady, kDraining };
  State state = State::kGone;
  std::uint32_t life =
      0;                  // how many times it has started: one that was called off is not ready when it would have been
  Nanoseconds begin = 0;  // of its life
  Nanoseconds taken = 0;  // when its load was read last
  std::int64_t works = 0;    // calls that its user function has
  std::int64_t open = 0;     // calls that it was given
  std::int64_t entered = 0;  // those of them that have one of its places, where these are limited
  int busy = 0;              // workers
  CallQueue for_place;
  CallQueue for_worker;
  PlayedMeter requests;
  PlayedMeter user_function;
  PlayedMeter journal;

  scaling::NodeReport TakeReport(std::uint32_t node, Nanoseconds now);
};

// What the simulation's time is to autoscalers.
inline absl::Time ToTime(Nanoseconds at) { return absl::UnixEpoch() + absl::Nanoseconds(at); }

}  // namespace cloudstate::capacity
