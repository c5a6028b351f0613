#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace cloudstate::support {

// A program that a test runs and whose output it reads while it runs. Ended with SIGKILL when the object goes, unless
// it has ended by itself. Any thread.
class ChildProcess {
 public:
  // The program sees PATH, HOME and `environment`, nothing else of the test's own. Ends the test program with a message
  // when the program cannot be started.
  static std::unique_ptr<ChildProcess> Start(const std::vector<std::string>& command,
                                             const std::map<std::string, std::string>& environment = {});
  virtual ~ChildProcess() = default;

  virtual pid_t pid() const = 0;
  virtual std::string output() const = 0;  // standard output so far
  virtual std::string errors() const = 0;  // standard error so far

  // Waits until `condition` holds for what was written to standard output and standard error; false when the program
  // ends, or `timeout` passes, without that. The condition must not ask this object.
  virtual bool WaitUntil(const std::function<bool(const std::string& output, const std::string& errors)>& condition,
                         absl::Duration timeout = absl::Seconds(60)) const = 0;

  // Nothing happens where it has ended.
  virtual void Signal(int signal) = 0;

  // The exit code, 128 and the signal's number after a signal, or -1 if it still runs after `timeout`. All that it
  // wrote has been read then.
  virtual int WaitForExit(absl::Duration timeout = absl::Seconds(60)) = 0;
};

}  // namespace cloudstate::support
