#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cloudstate::userfunction {

// Runs the user function as a child process with a process group of its own, prints its output line by line, starts it
// again when it ends, and ends the whole group at last.
class Supervisor {
 public:
  struct Options {
    std::vector<std::string> command;                        // looked up in PATH
    std::map<std::string, std::string> environment;          // added to ours
    std::string watch_directory;                             // restart when a file below it changes; empty for none
    absl::Duration first_backoff = absl::Milliseconds(200);  // doubles with each quick end, up to
    absl::Duration last_backoff = absl::Seconds(10);
    absl::Duration stable_after = absl::Seconds(5);   // an end after this long starts the back-off anew
    absl::Duration grace = absl::Seconds(10);         // between SIGTERM and SIGKILL
    absl::Duration settle = absl::Milliseconds(200);  // after the last change in the directory
  };

  // All run on the supervisor's thread.
  struct Handler {
    std::function<void(std::string_view line)> on_output;
    std::function<void(pid_t pid, int restarts)> on_started;
    // In a person's words: "exited with 1", "was killed by signal 9 (Killed)"; `again_in` is zero at the end.
    std::function<void(const std::string& how, absl::Duration again_in)> on_ended;
    std::function<void(const std::string& path)> on_changed;
  };

  // NOT_FOUND when the command cannot be found or the directory is not there.
  static absl::StatusOr<std::unique_ptr<Supervisor>> Start(Options options, Handler handler);

  // Ends the process group and waits for it: SIGTERM, then SIGKILL after the grace.
  virtual ~Supervisor() = default;

  // Begins that without waiting. Any thread.
  virtual void Stop() = 0;
};

}  // namespace cloudstate::userfunction
