#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/support/child_process.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate::support {

// A line that `cloudstate-dev run --json` printed: its fields as text, "event" among them.
using EmulatorEvent = std::map<std::string, std::string>;

// The real program in a process of its own, on free ports and a data directory of its own. Both go with the object.
class EmulatorProcess {
 public:
  struct Options {
    std::vector<std::string> arguments;  // of `run`, after the ports
    std::map<std::string, std::string> environment;
    std::string program = "";  // another one than that of this build
  };

  // Started, not waited for.
  explicit EmulatorProcess(Options options);

  // Whether it has begun to listen, after which there are addresses. What it said instead is in errors().
  bool WaitUntilStarted();
  // Whether it has come so far that a user function's services are served, or again after it was lost.
  bool WaitUntilReady(int times = 1);

  // HOST:PORT; empty before it has started.
  std::string client_address() const { return Address("clientAddress"); }
  std::string admin_address() const { return Address("adminAddress"); }
  std::string metrics_address() const { return Address("metricsAddress"); }
  std::string user_function_address() const { return Address("userFunctionAddress"); }

  std::vector<EmulatorEvent> events(const std::string& name) const;
  // Waits for an event of this name that fits.
  bool WaitForEvent(const std::string& name, const std::function<bool(const EmulatorEvent&)>& fits,
                    absl::Duration timeout = absl::Seconds(15)) const;

  // Ends it as a user does (SIGTERM); returns the exit code.
  int Stop();
  // Ends it as a loss of power does.
  void Kill();
  // A new process on the same data directory, on new ports. The one before must have ended.
  void StartAgain();

  ChildProcess& process() { return *process_; }
  const std::string& data_directory() const { return data_directory_; }

 private:
  std::string Address(const std::string& field) const;

  const Options options_;
  testing::TemporaryDirectory directory_;
  const std::string data_directory_ = (directory_.path() / "data").string();
  std::unique_ptr<ChildProcess> process_;
};

struct ToolResult {
  int exit_code = 0;
  std::string output;
  std::string errors;
};

// The program that the tests are about: the one that was built with them, or what EMULATOR_UNDER_TEST names.
std::string EmulatorProgram();

// Runs `cloudstate-dev ARGUMENTS` to its end.
ToolResult RunTool(std::vector<std::string> arguments, const std::map<std::string, std::string>& environment = {});

// The same, still running.
std::unique_ptr<ChildProcess> StartTool(std::vector<std::string> arguments,
                                        const std::map<std::string, std::string>& environment = {});

}  // namespace cloudstate::support
