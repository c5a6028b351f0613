#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cmd/cloudstate-dev/kept_output.h"
#include "emulator/userfunction/reserved_port.h"
#include "emulator/userfunction/supervisor.h"

namespace cloudstate::cli {

enum class ShowOutput { kNo, kYes };  // on standard error

// A user function that a command checks and therefore starts: again whenever it ends, and ended with this. Any thread.
class StartedUserFunction {
 public:
  // `on_early_end` is called, on a thread of its own, if it ends twice before Serves was: at first its port is
  // reserved, and it may be one that cannot listen there.
  StartedUserFunction(ShowOutput show_output, std::function<void()> on_early_end)
      : output_(show_output == ShowOutput::kYes), on_early_end_(std::move(on_early_end)) {}

  // With HOST and PORT set for it to listen on a port of the loopback, which is returned. NOT_FOUND if there is no such
  // program.
  absl::StatusOr<std::uint16_t> Start(const std::vector<std::string>& command);

  // It has come so far as to serve.
  void Serves();

  // How it ended before it ever served; empty if it did serve, or is still about to.
  std::string EarlyEnd();

  // The last lines that it printed, each on one of its own.
  std::string Output() const { return output_.Text(); }

 private:
  void Ended(const std::string& how);

  KeptOutput output_;
  const std::function<void()> on_early_end_;
  std::mutex mutex_;
  bool serves_ = false;
  std::optional<userfunction::ReservedPort> port_;  // until it serves, or has ended
  std::string early_end_;
  std::unique_ptr<userfunction::Supervisor> supervisor_;  // goes first
};

}  // namespace cloudstate::cli
