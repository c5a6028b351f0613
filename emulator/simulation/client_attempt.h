#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "emulator/serving/backend.h"
#include "emulator/simulation/clients.h"

namespace cloudstate::simulation {

// One call as its client sees it. On the strand.
class Clients::Attempt final : public serving::Responder, public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(Clients& clients, std::uint32_t caller, const Plan& plan, std::function<void(absl::Status)> when_done);

  void Headers(const Metadata&) override {}
  void Message(std::string payload) override;
  void Finish(absl::Status status) override;
  std::size_t Unsent() const override { return 0; }
  void WhenWritable(absl::AnyInvocable<void()> writable) override { writable(); }
  void OnCancel(absl::AnyInvocable<void()> cancelled) override { cancelled_ = std::move(cancelled); }

  void WaitFor(absl::Duration deadline);
  // The emulator has let go of the call without an answer.
  void OnDropped();
  // What comes now comes too late.
  void Forget();

  const std::uint32_t client;
  const std::size_t operation;
  const bool has_effect;
  const std::optional<std::size_t> shared;
  const absl::Duration stay;
  const std::function<void(absl::Status)> done;
  std::optional<std::string> message;

 private:
  void End(const absl::Status& status);

  Clients* clients_;
  const std::shared_ptr<Complaints> complaints_;
  const std::string name_;
  absl::Time begun_;
  bool finished_ = false;  // by the emulator
  base::TimerId timer_ = base::TimerId::kNone;
  base::TimerId leaving_ = base::TimerId::kNone;
  absl::AnyInvocable<void()> cancelled_;
};

// What the emulator holds of an attempt.
class Clients::Handle final : public serving::Responder {
 public:
  explicit Handle(std::shared_ptr<Attempt> attempt) : attempt_(std::move(attempt)) {}
  ~Handle() override { attempt_->OnDropped(); }
  void Headers(const Metadata& headers) override { attempt_->Headers(headers); }
  void Message(std::string payload) override { attempt_->Message(std::move(payload)); }
  void Finish(absl::Status status) override { attempt_->Finish(std::move(status)); }
  std::size_t Unsent() const override { return attempt_->Unsent(); }
  void WhenWritable(absl::AnyInvocable<void()> writable) override { attempt_->WhenWritable(std::move(writable)); }
  void OnCancel(absl::AnyInvocable<void()> cancelled) override { attempt_->OnCancel(std::move(cancelled)); }

 private:
  const std::shared_ptr<Attempt> attempt_;
};

}  // namespace cloudstate::simulation
