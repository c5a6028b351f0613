#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "emulator/base/strand.h"
#include "emulator/userfunction/connection.h"

namespace cloudstate::simulation {

class SimulatedStream;

// What the user function does on one stream.
class Conversation {
 public:
  virtual ~Conversation() = default;
  virtual void Hear(const std::string& message, SimulatedStream& stream) = 0;
  virtual void HalfClosed(SimulatedStream& stream) = 0;
};

// One stream of the simulated user function: what it says arrives later, in the order in which it was said. On the
// strand. Only its owner in the proxy holds it for longer than a call.
class SimulatedStream final : public std::enable_shared_from_this<SimulatedStream> {
 public:
  SimulatedStream(base::Strand& strand, userfunction::StreamHandler handler, std::unique_ptr<Conversation> conversation)
      : strand_(strand), handler_(std::move(handler)), conversation_(std::move(conversation)) {}

  // ---- the proxy's side

  void Limit(absl::Duration timeout) {
    if (timeout == absl::InfiniteDuration()) return;
    timer_ = strand_.After(timeout, [weak = weak_from_this()] {
      auto self = weak.lock();
      if (self == nullptr || self->gone_) return;
      self->Deliver(absl::DeadlineExceededError("the call's time is over"));
    });
  }
  void Write(const std::string& message) {
    if (!gone_) conversation_->Hear(message, *this);
  }
  void HalfClose() {
    if (!gone_) conversation_->HalfClosed(*this);
  }
  void Pause() { paused_ = true; }
  void Resume() {
    paused_ = false;
    strand_.Post([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->DeliverDue();
    });
  }
  // Perhaps from within a callback, which therefore stays whole until it has returned.
  void Drop() {
    gone_ = true;
    strand_.Cancel(std::exchange(timer_, base::TimerId::kNone));
    if (!calling_) handler_ = {};
  }

  // ---- the user function's side

  void Say(absl::Duration delay, std::string message) { Arrive(delay, std::move(message)); }
  // After all that was said before.
  void End(absl::Duration delay, absl::Status status) { Arrive(delay, std::move(status)); }
  std::size_t on_their_way() const { return gone_ ? 0 : said_.size(); }

 private:
  using Said = std::variant<std::string, absl::Status>;

  void Arrive(absl::Duration delay, Said said) {
    said_.push_back(std::move(said));
    last_arrival_ = std::max(last_arrival_, strand_.Now() + delay);
    strand_.After(last_arrival_ - strand_.Now(), [weak = weak_from_this()] {
      auto self = weak.lock();
      if (self == nullptr) return;
      ++self->due_;
      self->DeliverDue();
    });
  }

  void DeliverDue() {
    while (due_ > 0 && !paused_ && !gone_) {
      --due_;
      Said next = std::move(said_.front());
      said_.pop_front();
      Deliver(std::move(next));
    }
  }

  void Deliver(Said said) {
    const auto self = shared_from_this();
    calling_ = true;
    if (auto* message = std::get_if<std::string>(&said)) {
      handler_.on_message(std::move(*message));
    } else {
      Drop();
      handler_.on_closed(std::get<absl::Status>(std::move(said)));
    }
    calling_ = false;
    if (gone_) handler_ = {};
  }

  base::Strand& strand_;
  userfunction::StreamHandler handler_;
  const std::unique_ptr<Conversation> conversation_;
  std::deque<Said> said_;  // and not delivered
  std::size_t due_ = 0;    // how many of those have arrived
  absl::Time last_arrival_ = absl::InfinitePast();
  base::TimerId timer_ = base::TimerId::kNone;
  bool paused_ = false;
  bool calling_ = false;
  bool gone_ = false;  // ended, or dropped by its owner
};

}  // namespace cloudstate::simulation
