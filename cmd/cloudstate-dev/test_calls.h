#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"

namespace cloudstate::cli {

// Ends the call that is under way, and all that would follow, when somebody wants to. Any thread.
class CallEnd {
 public:
  // While it lives, the call that `cancel` ends is the one under way.
  class Guard {
   public:
    Guard(CallEnd& end, std::function<void()> cancel);
    Guard(CallEnd& end, grpc::ClientContext& context) : Guard(end, [&context] { context.TryCancel(); }) {}
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    CallEnd& end_;
  };

  void Interrupt();
  bool interrupted() const;

 private:
  mutable std::mutex mutex_;
  bool interrupted_ = false;
  std::function<void()> cancel_;
};

// Whether a header can be sent. INVALID_ARGUMENT for a name that HTTP/2 does not know, and a value that is not
// printable ASCII or, of a -bin one, base64.
absl::Status CheckHeader(const std::string& name, const std::string& value);

// A channel to a port of an emulator on the loopback: no proxy, messages of any size.
std::shared_ptr<grpc::Channel> TestChannel(const std::string& address);

// Calls of a user function's methods by gRPC, as any client would make them, with messages as bytes. For one thread.
class TestCalls {
 public:
  TestCalls(const std::shared_ptr<grpc::Channel>& channel, CallEnd& end) : stub_(channel), end_(end) {}

  struct Call {
    std::string path;  // "/com.example.ShoppingCart/AddItem"
    std::vector<std::string> inputs;
    std::map<std::string, std::string> headers;  // names in lower case; the value of a -bin one in base64
    absl::Time deadline;
  };
  struct Answer {
    int code = 0;  // gRPC's
    std::string message;
    std::vector<std::string> replies;
    std::map<std::string, std::string> headers;  // leading and trailing ones
  };

  // Sends all inputs, then takes what comes until the call ends. INVALID_ARGUMENT for headers that can't be sent.
  absl::StatusOr<Answer> Run(const Call& call);

 private:
  grpc::GenericStub stub_;
  CallEnd& end_;
};

}  // namespace cloudstate::cli
