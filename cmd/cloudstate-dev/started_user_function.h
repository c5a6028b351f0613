#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cmd/cloudstate-dev/kept_output.h"
#include "emulator/userfunction/supervisor.h"

namespace cloudstate::cli {

enum class ShowOutput { kNo, kYes };  // on standard error

// A user function that a command checks and therefore starts: again whenever it ends, and ended with this. Any thread.
class StartedUserFunction {
 public:
  // `on_early_end` is called, on a thread of its own, if it ends before Serves was.
  StartedUserFunction(ShowOutput show_output, std::function<void()> on_early_end)
      : output_(show_output == ShowOutput::kYes), on_early_end_(std::move(on_early_end)) {}

  // With HOST and PORT set for it to listen on `port` of the loopback. NOT_FOUND if there is no such program.
  absl::Status Start(const std::vector<std::string>& command, std::uint16_t port);

  // It has come so far as to serve.
  void Serves() { serves_ = true; }

  // How it ended before it ever served; empty if it did serve, or is still about to.
  std::string EarlyEnd();

  // The last lines that it printed, each on one of its own.
  std::string Output() const { return output_.Text(); }

 private:
  void Ended(const std::string& how);

  KeptOutput output_;
  const std::function<void()> on_early_end_;
  std::atomic<bool> serves_ = false;
  std::mutex mutex_;
  std::string early_end_;
  std::unique_ptr<userfunction::Supervisor> supervisor_;  // goes first
};

}  // namespace cloudstate::cli
