#pragma once

#include <cstddef>
#include <vector>

#include "emulator/base/random.h"
#include "emulator/capacity/load.h"

namespace cloudstate::capacity {

// Times that are drawn, each independently of the others.
struct Spread {
  enum class Kind { kConstant, kUniform, kNormal, kExponential };
  Kind kind = Kind::kConstant;
  Nanoseconds low = 0;   // the constant; the least of uniform; the mean of normal; what exponential adds to
  Nanoseconds high = 0;  // the most of uniform; the deviation of normal; the mean of exponential

  Nanoseconds Draw(base::Random& random) const;
};

// Where the time of one call goes, apart from waiting for a worker.
struct CallCost {
  Nanoseconds before = 0;   // from the client's call until the user function has it
  Nanoseconds service = 0;  // that a worker of the user function takes
  Nanoseconds after = 0;    // until the client has its answer
  Nanoseconds journal = 0;  // of `after`: until what is stored is durable
};

// A replica as a queue: so many workers serve calls in the order in which they come; what comes before and after takes
// time but occupies nothing. Costs are drawn independently of each other, of the time, and of how much there is to do.
//
// So the model knows nothing of what replicas share (the machine, the journal), of entities that handle one command at
// a time (a few busy ones make calls wait longer than here), or of caches that have to fill up. It is as good as its
// measurements, on the machine that they come from.
struct ServiceModel {
  // Where a call is worked on: an action's by the replica that takes it; a command of an entity by the one that has the
  // entity, which is any one of those that are ready, by chance.
  enum class WorkAt { kTaker, kOwner };

  int workers = 0;  // 0: as many as there are calls
  WorkAt work_at = WorkAt::kTaker;
  // Measured: what a call costs is what one of these did. Otherwise the spreads hold.
  std::vector<CallCost> costs;
  Spread service;
  Spread rest;  // counts as `after`

  CallCost Draw(base::Random& random) const;
};

}  // namespace cloudstate::capacity
