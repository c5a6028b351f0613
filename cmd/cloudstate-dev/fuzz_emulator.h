#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/fuzz_types.h"
#include "cmd/cloudstate-dev/own_emulator.h"

namespace cloudstate::cli {

// The emulator that a user function is tried out on, as often anew as is asked for. One thread.
class FuzzEmulator {
 public:
  struct Options {
    UserFunctionChoice user_function;
    std::string service_glob;
    absl::Duration deadline = absl::Seconds(2);  // of commands
    absl::Duration start_up = absl::Seconds(30);
    bool show_output = false;
    std::function<bool()> given_up = {};
  };
  // Errors as OwnEmulator::Start and FuzzTypes::Load.
  static absl::StatusOr<std::unique_ptr<FuzzEmulator>> Start(Options options);

  enum class Renewal {
    kReset,    // nothing stored, no stream open
    kProcess,  // moreover another process of the user function; as kReset where somebody else started it
  };
  // Waits for the user function, where it has to come back.
  absl::Status Renew(Renewal renewal);
  // Until it has been discovered. UNAVAILABLE, with what it printed, where that takes too long.
  absl::Status AwaitUserFunction();
  // Whether the user function was started here.
  bool owns_user_function() const { return options_.user_function.address.empty(); }

  Client& client() { return *client_; }
  const FuzzTypes& types() const { return *types_; }
  int pid() const { return own_->user_function_pid(); }
  // Empty where another process has not come up: that error has it.
  std::string Output() const { return own_ == nullptr ? "" : own_->Output(); }

  // What the emulator has said is wrong about the user function since it was last asked.
  std::vector<std::string> TakeComplaints();
  // How often the user function was lost.
  std::size_t losses() const { return own_->losses(); }

 private:
  explicit FuzzEmulator(Options options) : options_(std::move(options)) {}
  absl::Status StartOwn();

  const Options options_;
  std::mutex mutex_;
  std::vector<std::string> complaints_;
  std::unique_ptr<OwnEmulator> own_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<FuzzTypes> types_;
};

}  // namespace cloudstate::cli
