#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "emulator/userfunction/connection.h"

namespace cloudstate::testing {

// A user function in the test's hands: it sees what was written on each stream, in order, and says what comes back.
class FakeConnection final : public userfunction::Connection {
 public:
  struct OpenedStream {
    std::string method;
    absl::Duration timeout;
    userfunction::StreamHandler handler;
    std::vector<std::string> written;
    bool half_closed = false;
    bool destroyed = false;  // by the emulator: cancelled, unless it had ended
    bool paused = false;
    std::size_t unsent = 0;
  };

  struct UnaryCall {
    std::string method;
    std::string request;
    absl::Duration timeout;
    absl::AnyInvocable<void(absl::StatusOr<std::string>)> done;
  };

  std::unique_ptr<userfunction::Stream> Open(std::string_view method, absl::Duration timeout,
                                             userfunction::StreamHandler handler) override {
    streams.push_back(std::make_shared<OpenedStream>());
    streams.back()->method = std::string(method);
    streams.back()->timeout = timeout;
    streams.back()->handler = std::move(handler);
    streams.back()->unsent = unsent_at_open;
    return std::make_unique<Handle>(streams.back());
  }

  void Call(std::string_view method, std::string request, absl::Duration timeout,
            absl::AnyInvocable<void(absl::StatusOr<std::string>)> done) override {
    calls.push_back({std::string(method), std::move(request), timeout, std::move(done)});
  }

  std::size_t unsent_at_open = 0;  // a large number stands for a user function that does not read
  std::vector<std::shared_ptr<OpenedStream>> streams;
  std::deque<UnaryCall> calls;

 private:
  class Handle final : public userfunction::Stream {
   public:
    explicit Handle(std::shared_ptr<OpenedStream> stream) : stream_(std::move(stream)) {}
    ~Handle() override { stream_->destroyed = true; }
    void Write(std::string message) override { stream_->written.push_back(std::move(message)); }
    void HalfClose() override { stream_->half_closed = true; }
    std::size_t Unsent() const override { return stream_->unsent; }
    void Pause() override { stream_->paused = true; }
    void Resume() override { stream_->paused = false; }

   private:
    std::shared_ptr<OpenedStream> stream_;
  };
};

}  // namespace cloudstate::testing
