#pragma once

#include <cstdint>
#include <utility>

#include "absl/time/time.h"
#include "emulator/base/strand.h"

namespace cloudstate::trace {

// How much of something is under way, over time. Lives on one strand, whose clock it is told: `Now`, which never goes
// back. Beginning and ending cost a multiplication and a few additions.
class LoadMeter {
 public:
  // Since the meter was made. Differences of two readings tell what happened between them.
  struct Reading {
    absl::Duration integral;  // of the number under way over time: two for three seconds are six
    absl::Duration time;      // of those that ended, summed
    std::int64_t ended = 0;

    Reading operator-(const Reading& before) const {
      return {integral - before.integral, time - before.time, ended - before.ended};
    }
  };

  void Begin(absl::Time now) {
    Advance(now);
    ++open_;
  }
  void End(absl::Time now, absl::Duration took) {
    Advance(now);
    --open_;
    ended_.time += took;
    ++ended_.ended;
  }

  std::int64_t open() const { return open_; }
  Reading Read(absl::Time now) const {
    Reading reading = ended_;
    reading.integral += Since(now);
    return reading;
  }

 private:
  // In whole nanoseconds, since multiplying durations is slow.
  absl::Duration Since(absl::Time now) const {
    return open_ == 0 ? absl::ZeroDuration() : absl::Nanoseconds(absl::ToInt64Nanoseconds(now - last_) * open_);
  }
  void Advance(absl::Time now) {
    ended_.integral += Since(now);
    last_ = now;
  }

  std::int64_t open_ = 0;
  absl::Time last_ = absl::InfinitePast();
  Reading ended_;  // as of `last_`
};

// One thing under way, or none: from Begin until End, or until it is destroyed, whatever way leads there. Meter and
// strand outlive it.
class Metered {
 public:
  Metered() = default;
  Metered(const Metered&) = delete;
  Metered& operator=(const Metered&) = delete;
  ~Metered() {
    if (running()) End(strand_->Now());
  }

  bool running() const { return meter_ != nullptr; }
  absl::Time since() const { return since_; }

  // Not while one is under way. `now` is the strand's.
  void Begin(LoadMeter& meter, const base::Strand& strand, absl::Time now) {
    meter_ = &meter;
    strand_ = &strand;
    since_ = now;
    meter.Begin(now);
  }
  // Returns how long it took. Does nothing where nothing is under way.
  absl::Duration End(absl::Time now) {
    if (!running()) return absl::ZeroDuration();
    const absl::Duration took = now - since_;
    std::exchange(meter_, nullptr)->End(now, took);
    return took;
  }
  // The same where no time is at hand.
  absl::Duration End() { return running() ? End(strand_->Now()) : absl::ZeroDuration(); }

 private:
  LoadMeter* meter_ = nullptr;
  const base::Strand* strand_ = nullptr;
  absl::Time since_;
};

// Of one node, over all its lives: what autoscalers go by.
struct NodeLoad {
  struct Reading {
    LoadMeter::Reading requests;
    LoadMeter::Reading user_function;
    LoadMeter::Reading journal;
  };
  Reading Read(absl::Time now) const { return {requests.Read(now), user_function.Read(now), journal.Read(now)}; }

  LoadMeter requests;       // clients' calls
  LoadMeter user_function;  // commands in the hands of the user function; of an action its whole call
  LoadMeter journal;        // reads and writes that an entity waits for; of CRDT entities reads of what nodes know
};

}  // namespace cloudstate::trace
