#include "cmd/cloudstate-dev/started_user_function.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace cloudstate::cli {

absl::StatusOr<std::uint16_t> StartedUserFunction::Start(const std::vector<std::string>& command) {
  auto reserved = userfunction::ReservedPort::Take();
  if (!reserved.ok()) return reserved.status();
  const std::uint16_t port = reserved->number();
  port_ = *std::move(reserved);
  userfunction::Supervisor::Options options;
  options.command = command;
  options.environment = {{"HOST", "127.0.0.1"}, {"PORT", absl::StrCat(port)}};
  options.first_backoff = absl::Milliseconds(50);
  options.last_backoff = absl::Seconds(1);
  options.grace = absl::Seconds(5);
  auto supervisor = userfunction::Supervisor::Start(
      std::move(options), {.on_output = [this](std::string_view line) { output_.Add(line); },
                           .on_started = [](pid_t, int) {},
                           .on_ended = [this](const std::string& how, absl::Duration) { Ended(how); },
                           .on_changed = [](const std::string&) {}});
  if (!supervisor.ok()) return supervisor.status();
  supervisor_ = *std::move(supervisor);
  return port;
}

void StartedUserFunction::Serves() {
  std::lock_guard lock(mutex_);
  serves_ = true;
  port_.reset();
}

std::string StartedUserFunction::EarlyEnd() {
  std::lock_guard lock(mutex_);
  return early_end_.empty() ? "" : absl::StrCat("The command ", early_end_, " before it served anything.");
}

void StartedUserFunction::Ended(const std::string& how) {
  {
    std::lock_guard lock(mutex_);
    if (serves_) return;
    const bool once_more = port_.has_value();
    port_.reset();
    if (once_more) return output_.Clear();
    early_end_ = how;
  }
  on_early_end_();
}

}  // namespace cloudstate::cli
