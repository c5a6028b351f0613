#include "emulator/serving/http_answer.h"

#include <utility>

namespace cloudstate::serving {

void HttpAnswer::Headers(const Metadata& headers) {
  std::lock_guard lock(mutex_);
  if (finished_ || abandoned_) return;
  news_.headers = headers;
  if (delivery_ == Delivery::kAsItComes) Wake();
}

void HttpAnswer::Message(std::string payload) {
  std::lock_guard lock(mutex_);
  if (finished_ || abandoned_) return;
  news_.messages.push_back(std::move(payload));
  ++unsent_;
  if (delivery_ == Delivery::kAsItComes) Wake();
}

void HttpAnswer::Finish(absl::Status status) {
  absl::AnyInvocable<void()> unused[2];  // destroyed without the lock: they may own anything
  std::lock_guard lock(mutex_);
  if (finished_ || abandoned_) return;
  finished_ = true;
  unused[0] = std::move(cancelled_);
  unused[1] = std::move(writable_);
  news_.status = std::move(status);
  Wake();
}

std::size_t HttpAnswer::Unsent() const {
  std::lock_guard lock(mutex_);
  return abandoned_ ? 0 : unsent_;
}

void HttpAnswer::WhenWritable(absl::AnyInvocable<void()> writable) {
  {
    std::lock_guard lock(mutex_);
    if (finished_ || abandoned_) return;
    if (unsent_ > 0) {
      writable_ = std::move(writable);
      return;
    }
  }
  writable();
}

void HttpAnswer::OnCancel(absl::AnyInvocable<void()> cancelled) {
  {
    std::lock_guard lock(mutex_);
    if (!abandoned_) {
      if (!finished_) cancelled_ = std::move(cancelled);
      return;
    }
  }
  cancelled();
}

HttpAnswer::News HttpAnswer::Take() {
  std::lock_guard lock(mutex_);
  if (delivery_ == Delivery::kWhenFinished && !finished_) return {};
  woken_ = false;
  return std::exchange(news_, {});
}

void HttpAnswer::Sent(std::size_t messages) {
  absl::AnyInvocable<void()> writable;
  {
    std::lock_guard lock(mutex_);
    unsent_ -= messages;
    if (unsent_ == 0) writable = std::exchange(writable_, nullptr);
  }
  if (writable) writable();
}

void HttpAnswer::Abandon() {
  absl::AnyInvocable<void()> tell;
  absl::AnyInvocable<void()> unused;
  {
    std::lock_guard lock(mutex_);
    if (abandoned_) return;
    abandoned_ = true;
    unused = std::move(writable_);
    wake_ = nullptr;
    news_ = {};
    if (!finished_) tell = std::move(cancelled_);
  }
  if (tell) tell();
}

void HttpAnswer::Wake() {
  if (woken_) return;
  woken_ = true;
  wake_();
}

}  // namespace cloudstate::serving
