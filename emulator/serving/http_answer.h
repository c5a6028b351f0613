#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "emulator/serving/backend.h"

namespace cloudstate::serving {

// One call's answer on its way from the backend's threads to the thread of the HTTP session. The session takes it out
// when it is woken; shared by the backend and the session.
class HttpAnswer final : public Responder {
 public:
  // kWhenFinished wakes the session once, for an answer that cannot be sent before it is whole.
  enum class Delivery { kWhenFinished, kAsItComes };

  // `wake` is called on any thread with the lock held, never after Abandon: it must only leave a note for the session.
  HttpAnswer(Delivery delivery, std::function<void()> wake) : delivery_(delivery), wake_(std::move(wake)) {}

  void Headers(const Metadata& headers) override;
  void Message(std::string payload) override;
  void Finish(absl::Status status) override;
  std::size_t Unsent() const override;
  void WhenWritable(absl::AnyInvocable<void()> writable) override;
  void OnCancel(absl::AnyInvocable<void()> cancelled) override;

  // For the session: what has come since the last time; with kWhenFinished nothing before the end.
  struct News {
    std::optional<Metadata> headers;
    std::deque<std::string> messages;
    std::optional<absl::Status> status;
  };
  News Take();

  // For the session: the client has been sent this many messages more.
  void Sent(std::size_t messages);

  // For the session: nobody waits any more. Tells the backend unless it has finished.
  void Abandon();

 private:
  void Wake();

  const Delivery delivery_;
  mutable std::mutex mutex_;
  std::function<void()> wake_;
  News news_;
  bool woken_ = false;  // and not taken since
  std::size_t unsent_ = 0;
  bool finished_ = false;
  bool abandoned_ = false;
  absl::AnyInvocable<void()> cancelled_;
  absl::AnyInvocable<void()> writable_;
};

}  // namespace cloudstate::serving
