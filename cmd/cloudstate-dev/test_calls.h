#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "emulator/tck/http_client.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"

namespace cloudstate::cli {

// Ends the call that is under way, and all that would follow, when somebody wants to. Any thread.
class CallEnd {
 public:
  // While it lives, the context's call is the one under way.
  class Guard {
   public:
    Guard(CallEnd& end, grpc::ClientContext& context);
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
  grpc::ClientContext* current_ = nullptr;
};

// A channel to a port of an emulator on the loopback: no proxy, messages of any size.
std::shared_ptr<grpc::Channel> TestChannel(const std::string& address);

// Calls of a user function's methods by gRPC, as any client would make them, with messages as bytes. For one thread.
class TestCalls {
 public:
  TestCalls(const std::shared_ptr<grpc::Channel>& channel, CallEnd& end) : stub_(channel), end_(end) {}

  struct Call {
    std::string path;  // "/com.example.ShoppingCart/AddItem"
    std::vector<std::string> inputs;
    std::map<std::string, std::string> headers;  // the value of a -bin one in base64
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
