#include "cmd/cloudstate-dev/fuzz_emulator.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace cloudstate::cli {
namespace {

constexpr absl::Duration kBetweenStatusLooks = absl::Milliseconds(10);
// A process that hangs is not waited for for long.
constexpr absl::Duration kTerminationGrace = absl::Seconds(1);

}  // namespace

absl::StatusOr<std::unique_ptr<FuzzEmulator>> FuzzEmulator::Start(Options options) {
  const std::string glob = options.service_glob;
  std::unique_ptr<FuzzEmulator> emulator(new FuzzEmulator(std::move(options)));
  if (absl::Status status = emulator->StartOwn(); !status.ok()) return status;
  auto types = FuzzTypes::Load(emulator->client(), glob);
  if (!types.ok()) return types.status();
  emulator->types_ = *std::move(types);
  return emulator;
}

absl::Status FuzzEmulator::StartOwn() {
  client_ = nullptr;
  own_ = nullptr;
  OwnEmulator::Options options;
  options.user_function = options_.user_function;
  options.settings.termination_grace = kTerminationGrace;
  options.settings.limits.close_grace = options_.deadline / 4;  // so that a stream left open is no command that hangs
  options.start_up = options_.start_up;
  options.show_output = options_.show_output;
  options.given_up = options_.given_up;
  options.on_complaint = [this](const std::string& complaint) {
    const std::lock_guard lock(mutex_);
    complaints_.push_back(complaint);
  };
  auto own = OwnEmulator::Start(std::move(options));
  if (!own.ok()) return own.status();
  own_ = *std::move(own);
  auto client = Client::Connect(own_->admin_address());
  if (!client.ok()) return client.status();
  client_ = *std::move(client);
  TakeComplaints();
  return absl::OkStatus();
}

absl::Status FuzzEmulator::Renew(Renewal renewal) {
  if (renewal == Renewal::kProcess && owns_user_function()) return StartOwn();
  if (absl::Status status = AwaitUserFunction(); !status.ok()) return status;
  auto reset = client_->Call(&Client::TestingStub::Reset, dev::v1::ResetRequest());
  TakeComplaints();
  return reset.status();
}

absl::Status FuzzEmulator::AwaitUserFunction() {
  const absl::Time end = absl::Now() + options_.start_up;
  for (;;) {
    auto status = client_->Call(&Client::Stub::GetStatus, dev::v1::GetStatusRequest());
    if (!status.ok()) return status.status();
    if (status->user_function().state() == dev::v1::UserFunction::READY) return absl::OkStatus();
    if (options_.given_up && options_.given_up()) return absl::CancelledError("The user function was not waited for.");
    if (absl::Now() > end) {
      return absl::UnavailableError(
          absl::StrCat("The user function does not come back: ", status->user_function().problem(), own_->Output()));
    }
    absl::SleepFor(kBetweenStatusLooks);
  }
}

std::vector<std::string> FuzzEmulator::TakeComplaints() {
  const std::lock_guard lock(mutex_);
  return std::exchange(complaints_, {});
}

}  // namespace cloudstate::cli
