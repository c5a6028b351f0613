#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cloudstate/dev/v1/testfile.pb.h"
#include "cmd/cloudstate-dev/test_calls.h"
#include "emulator/testing/known_types.h"
#include "emulator/testing/outcome_check.h"

namespace cloudstate::cli {

// Makes the calls of test steps, by gRPC or HTTP, as clients would. For one thread.
class TestCaller {
 public:
  // Whether the step's headers can be sent. INVALID_ARGUMENT.
  static absl::Status CheckHeaders(const dev::v1::TestStep& step);

  // All outlive this.
  TestCaller(const std::shared_ptr<grpc::Channel>& channel, std::string client_address,
             const testing::KnownTypes& types, CallEnd& end)
      : calls_(channel, end), end_(end), client_address_(std::move(client_address)), types_(types) {}

  // What came of it, without its trace and events. Errors are those of the step, such as an input that is no such
  // message, DEADLINE_EXCEEDED for an HTTP server that does not answer, and that of an HTTP stream that fails midway,
  // unless it is its `deadline` that ends it.
  absl::StatusOr<testing::CallOutcome> Call(const dev::v1::TestFile& file, const dev::v1::TestStep& step,
                                            absl::Time deadline);

 private:
  absl::StatusOr<testing::CallOutcome> CallGrpc(const dev::v1::TestFile& file, const dev::v1::TestStep& step,
                                                absl::Time deadline);
  absl::StatusOr<testing::CallOutcome> CallHttp(const dev::v1::TestStep& step, absl::Time deadline);
  absl::StatusOr<std::vector<std::string>> Inputs(const dev::v1::TestStep& step,
                                                  const testing::MethodReference& method) const;

  TestCalls calls_;
  CallEnd& end_;
  std::string client_address_;
  const testing::KnownTypes& types_;
};

}  // namespace cloudstate::cli
