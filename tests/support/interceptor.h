#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/tck/interceptor.h"

namespace cloudstate::support {

// Something that was seen between proxy and user function, as text so that a test can compare and print it.
struct Seen {
  std::size_t stream = 0;  // 0, 1, 2… in the order of opening
  std::string what;        // as the functions below give it

  bool operator==(const Seen&) const = default;
};
inline std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << "#" << seen.stream << " " << seen.what;
}

// What one side says: every field that is set, whole.
inline Seen ToUserFunction(std::size_t stream, const google::protobuf::Message& message) {
  return {stream, "to user function: " + message.ShortDebugString()};
}
inline Seen FromUserFunction(std::size_t stream, const google::protobuf::Message& message) {
  return {stream, "to proxy: " + message.ShortDebugString()};
}
inline Seen HalfClosed(std::size_t stream) { return {stream, "half-closed by the proxy"}; }
inline Seen Cancelled(std::size_t stream) { return {stream, "cancelled by the proxy"}; }
inline Seen StreamFinished(std::size_t stream) { return {stream, "ended by the user function"}; }

inline Seen ToSeen(const tck::Passed& passed) {
  using What = tck::Passed::What;
  if (passed.what == What::kHalfClosed) return HalfClosed(passed.call);
  if (passed.what == What::kCancelled) return Cancelled(passed.call);
  if (passed.what == What::kEnded) return StreamFinished(passed.call);
  const auto message = tck::ParsePassed(passed);
  if (message == nullptr) return {passed.call, "bytes that are no message"};
  return passed.what == What::kToUserFunction ? ToUserFunction(passed.call, *message)
                                              : FromUserFunction(passed.call, *message);
}

// The conformance kit's interceptor as tests use it. Any thread.
class Interceptor {
 public:
  // `user_function` is HOST:PORT.
  static std::unique_ptr<Interceptor> Start(const std::string& user_function) {
    return std::make_unique<Interceptor>(user_function);
  }
  explicit Interceptor(const std::string& user_function) {
    auto started = tck::Interceptor::Start(user_function, waiting_);
    if (!started.ok()) ADD_FAILURE() << started.status();
    if (started.ok()) interceptor_ = *std::move(started);
  }

  std::string address() const { return interceptor_->address(); }

  // The next `count` things that no call before has returned, in order; fewer when they don't come within `timeout`.
  std::vector<Seen> Take(std::size_t count, absl::Duration timeout = absl::Seconds(10)) {
    return ToSeen(interceptor_->Take(count, absl::Now() + timeout));
  }
  // Waits out `quiet` and returns what came that nobody has taken.
  std::vector<Seen> TakeLeftOver(absl::Duration quiet = absl::Milliseconds(10)) {
    absl::SleepFor(quiet);
    return ToSeen(interceptor_->TakeLeftOver());
  }

  std::vector<ProxyInfo> discoveries() const { return interceptor_->discoveries(); }
  std::vector<std::string> errors() const { return interceptor_->errors(); }  // what reportError said

 private:
  static std::vector<Seen> ToSeen(const std::vector<tck::Passed>& passed) {
    std::vector<Seen> seen;
    for (const tck::Passed& each : passed) seen.push_back(support::ToSeen(each));
    return seen;
  }

  tck::Waiting waiting_;
  std::unique_ptr<tck::Interceptor> interceptor_;
};

}  // namespace cloudstate::support
