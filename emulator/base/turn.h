#pragma once

#include <vector>

#include "emulator/base/strand.h"

namespace cloudstate::base {

// What a thread has at hand at one time: the calls that came with one read from a socket, say, or the tasks that wait
// for a strand. What can be done once for all of it, such as sending the answers, is deferred to its end.
class Turn {
 public:
  // Within another turn of this thread it is a part of that one.
  Turn();
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // Runs `task` on this thread when the turn ends, in order; what that defers comes after. Without a turn, at once.
  static void Defer(Task task);

  // Runs what has been deferred so far if this is the outermost turn, for one that goes on for long.
  void RunDeferred();

 private:
  const bool outermost_;
  std::vector<Task> deferred_;
};

}  // namespace cloudstate::base
