#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cmd/cloudstate-dev/admin_stubs.h"
#include "cmd/cloudstate-dev/test_calls.h"

namespace cloudstate::cli {

// The admin services of an emulator for one case after the other: every call ends by the case's deadline, or when the
// tests are interrupted. For one thread.
class TestEmulator {
 public:
  TestEmulator(const std::string& admin_address, CallEnd& end) : end_(end), stubs_(TestChannel(admin_address)) {}

  void SetDeadline(absl::Time deadline) { deadline_ = deadline; }
  absl::Time deadline() const { return deadline_; }

  // A method of any of the services. The errors are those of the method, DEADLINE_EXCEEDED and CANCELLED.
  template <class Request, class Response, class Service>
  absl::StatusOr<Response> Call(grpc::Status (Service::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(deadline_));
    const CallEnd::Guard guard(end_, context);
    Response response;
    const grpc::Status status = stubs_.Call(method, context, request, response);
    if (status.ok()) return response;
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }

  // Waits until nothing is under way, or moreover all nodes know the same. The error, which may
  // be left aside, says what does not come to rest, such as a command that a fault holds back.
  enum class Rest { kIdle, kConverged };
  absl::Status AwaitRest(Rest rest, absl::Duration longest = absl::Seconds(5));

  // ---- what has happened in a case, as far as it was looked for

  // From now on.
  absl::Status BeginToWatch();
  // All that came since.
  absl::Status LookAgain();
  const std::vector<dev::v1::CommandTrace>& commands() const { return commands_; }
  const std::vector<dev::v1::Event>& events() const { return events_; }
  // What the user function has done against the protocol, whether looked for or not.
  absl::StatusOr<std::vector<std::string>> Complaints();

 private:
  CallEnd& end_;
  absl::Time deadline_ = absl::InfiniteFuture();
  AdminStubs stubs_;
  dev::v1::Mark mark_;  // up to which it was looked
  std::int64_t log_lines_before_ = 0;
  std::vector<dev::v1::CommandTrace> commands_;
  std::vector<dev::v1::Event> events_;
};

}  // namespace cloudstate::cli
