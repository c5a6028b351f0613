#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/time/clock.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/admin/caller.h"
#include "emulator/admin/cancellation.h"
#include "emulator/serving/backend.h"

namespace cloudstate::admin {

// One CallStream: stands between the admin client and the user function's call, towards which it is the client. Kept by
// whichever side owes it something.
class CallStream final : public serving::Responder,
                         public serving::RequestStream,
                         public std::enable_shared_from_this<CallStream> {
 public:
  using Prepare = absl::AnyInvocable<absl::StatusOr<PreparedCall>(const dev::v1::CallStart&)>;

  // `user_function` outlives this object.
  CallStream(serving::Backend& user_function, std::shared_ptr<serving::RequestStream> requests,
             std::shared_ptr<serving::Responder> client);

  // Within the Start of the admin client's call.
  void Begin(Prepare prepare);

  // What the user function's call asks for: the client's next message as the method's input. One that is no input ends
  // the call instead.
  void Read(absl::AnyInvocable<void(std::optional<std::string>)> taken) override;

  // What it answers.
  void Headers(const Metadata& headers) override;
  void Message(std::string payload) override;
  void Finish(absl::Status status) override;
  std::size_t Unsent() const override;
  void WhenWritable(absl::AnyInvocable<void()> writable) override;
  void OnCancel(absl::AnyInvocable<void()> cancelled) override;

 private:
  void Start(const dev::v1::CallStart& start, Prepare& prepare);
  // For a method that takes one message: its message, then the half-close, and only then the call.
  void TakeOnlyMessage();
  void TakeHalfClose(std::string payload);
  absl::StatusOr<std::string> Decode(const std::string& serialized);

  void Send(const dev::v1::CallStreamResponse& response);
  // Refuses the client's call and cancels the user function's.
  void Fail(const absl::Status& status);
  std::shared_ptr<serving::Responder> client() const;

  serving::Backend& user_function_;
  const std::shared_ptr<serving::RequestStream> requests_;
  const absl::Time started_ = absl::Now();
  PreparedCall prepared_;      // since the first request
  std::int64_t messages_ = 0;  // taken from the client
  std::string trace_id_;       // of the user function's call, once it is told

  // The client may send nonsense or go away while the user function answers.
  mutable std::mutex mutex_;
  std::shared_ptr<serving::Responder> client_;  // null once answered

  Cancellation cancellation_;  // of the user function's call
};

}  // namespace cloudstate::admin
