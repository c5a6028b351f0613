#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/cloudstate-dev/call_end.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"

namespace cloudstate::cli {

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
