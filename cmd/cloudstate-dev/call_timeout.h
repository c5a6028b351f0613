#pragma once

#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "grpcpp/grpcpp.h"

namespace cloudstate::cli {

// How long the client of a call with a deadline waits: a little longer than that. Who answers in time is the node that
// took the call, and that may be paused.
class CallTimeout {
 public:
  explicit CallTimeout(const dev::v1::CallStart& start);

  // Nothing where there is no deadline.
  void Limit(grpc::ClientContext& context) const;
  // Whether that is how the call ended.
  bool Ended(const grpc::Status& status) const;
  // What is told of it then.
  std::string Message() const;
  google::protobuf::Duration Passed() const;

 private:
  const std::string method_;
  const absl::Time begin_ = absl::Now();
  const absl::Duration deadline_;  // infinite for none
};

}  // namespace cloudstate::cli
