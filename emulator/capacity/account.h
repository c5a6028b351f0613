#pragma once

#include <utility>

#include "emulator/capacity/player.h"

namespace cloudstate::capacity {

// What is told of a load that is played, as it is played: counts what happens, while the load lasts by interval. What
// becomes of calls counts until they have ended; replicas and decisions only while the load lasts.
class Account {
 public:
  // Of a load of this length.
  Account(Nanoseconds length, Nanoseconds interval);

  void Arrived();
  void Held() { ++played_.held; }
  void Refused();
  void Answered(Nanoseconds latency);
  // It took longer than callers wait.
  void Unanswered() { ++played_.unanswered; }
  void ColdStart(Nanoseconds now);
  // So many are ready from now on.
  void Ready(Nanoseconds now, std::size_t count);
  // A replica that began then is gone, or the load is over.
  void Lived(Nanoseconds begin, Nanoseconds end);
  // What there is now; it may be as before.
  void Note(const Supply& supply);
  void Decided(Choice choice);

  Nanoseconds length() const { return played_.length; }
  // Calls that have not ended.
  std::int64_t UnderWay() const { return played_.calls - played_.answered - played_.refused - played_.unanswered; }

  // Numbers under way, integrated over the time since the beginning.
  struct Integrals {
    double requests = 0;
    double user_function = 0;
    double held = 0;
  };
  // When EndInterval is due; never, once the load is over.
  Nanoseconds interval_end() const { return interval_end_; }
  bool LoadIsOver() const;
  void EndInterval(Nanoseconds now, const Integrals& integrals, int wanted);

  Played Finish();

 private:
  Nanoseconds Clip(Nanoseconds now) const;
  void CountReady(Nanoseconds now);

  const Nanoseconds interval_length_;
  Nanoseconds interval_end_;
  Interval interval_;
  Integrals before_;
  std::size_t ready_ = 0;
  Nanoseconds ready_counted_ = 0;
  double ready_time_ = 0;  // in nanoseconds, as below
  double ready_before_ = 0;
  double replica_time_ = 0;
  double latency_sum_ = 0;
  Played played_;
};

}  // namespace cloudstate::capacity
