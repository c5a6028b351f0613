#include "emulator/tck/emulator_stage.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace cloudstate::tck {
namespace {

runtime::Settings StageSettings(std::uint16_t user_function_port, std::size_t nodes) {
  runtime::Settings settings;
  settings.port = 0;
  settings.admin_port = 0;
  settings.metrics_port = 0;
  settings.version = "tck";
  settings.nodes = nodes;
  settings.durability = journal::Durability::kEphemeral;
  settings.termination_grace = absl::ZeroDuration();
  settings.user_function_port = user_function_port;
  return settings;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmulatorStage>> EmulatorStage::Start(const std::string& user_function, std::size_t nodes,
                                                                    Waiting& waiting, absl::Time deadline) {
  auto stage = std::make_unique<EmulatorStage>(waiting);
  if (absl::Status status = stage->Open(user_function, nodes, deadline); !status.ok()) return status;
  return stage;
}

absl::Status EmulatorStage::Open(const std::string& user_function, std::size_t nodes, absl::Time deadline) {
  auto interceptor = Interceptor::Start(user_function, waiting_);
  if (!interceptor.ok()) return interceptor.status();
  interceptor_ = *std::move(interceptor);
  auto emulator = runtime::Emulator::Start(StageSettings(interceptor_->port(), nodes), *this);
  if (!emulator.ok()) return emulator.status();
  emulator_ = *std::move(emulator);
  const bool told = waiting_.Until(deadline, [this] { return ready_ || !problem_.empty(); });
  if (!told) return absl::DeadlineExceededError("the emulator did not come so far as to serve the user function");
  std::string problem;
  waiting_.Apply([&] { problem = problem_; });
  if (!problem.empty()) return absl::FailedPreconditionError(problem);
  clients_ = std::make_unique<Link>(emulator_->client_address(), waiting_);
  if (clients_->Connected(deadline) == nullptr)
    return absl::DeadlineExceededError("the emulator's client port is shut");
  stage_ = std::make_unique<Stage>(Stage{*clients_, *interceptor_});
  return absl::OkStatus();
}

void EmulatorStage::OnReady(const userfunction::Specification&) {
  waiting_.Apply([this] { ready_ = true; });
}

void EmulatorStage::OnRejected(const std::string& problem) {
  waiting_.Apply([&] { problem_ = problem; });
}

}  // namespace cloudstate::tck
