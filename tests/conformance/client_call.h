#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "tests/conformance/kinds.h"

namespace cloudstate::kinds {

// A connection that shares nothing with others to the same address, as that of another program.
std::shared_ptr<grpc::Channel> Connect(const std::string& address);

struct CallOptions {
  absl::Duration deadline = absl::Seconds(20);
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// A client's gRPC call of any shape, a message at a time: what is not asked for is not read. Blocks like a client that
// has a thread for each call; one thread at a time for each direction.
class ClientCall final : private grpc::ClientBidiReactor<Request, Response> {
 public:
  ClientCall(const std::shared_ptr<grpc::Channel>& channel, Kind kind, const CallOptions& options = {});
  ~ClientCall() override;  // cancels it

  // Returns once the transport has taken it; false when the call has ended.
  bool Write(const Request& request);
  void HalfClose();
  // The next response's text; none at the end.
  std::optional<std::string> Read();
  void Cancel() { context_.TryCancel(); }
  // Reads what is left, and waits for the end. By when no other thread uses the call any more.
  grpc::Status End();
  // Response headers, "-bin" ones decoded; after a Read or the End.
  std::multimap<std::string, std::string> headers() const;

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  grpc::ClientContext context_;
  grpc::TemplatedGenericStub<Request, Response> stub_;
  Request request_;
  Response response_;
  absl::Mutex mutex_;
  std::optional<bool> read_ ABSL_GUARDED_BY(mutex_);     // how the one that was begun ended
  std::optional<bool> written_ ABSL_GUARDED_BY(mutex_);  // likewise
  std::optional<grpc::Status> status_ ABSL_GUARDED_BY(mutex_);
  bool read_to_the_end_ = false;
  bool held_ = true;
};

// What a client gets for one call.
struct Outcome {
  grpc::Status status;
  std::vector<std::string> texts;  // of the responses
  std::multimap<std::string, std::string> headers;
};

// Sends the requests, half-closes and reads to the end.
Outcome CallNow(const std::shared_ptr<grpc::Channel>& channel, Kind kind, const std::vector<Request>& requests,
                const CallOptions& options = {});

// The same on a thread of its own.
std::future<Outcome> CallLater(const std::shared_ptr<grpc::Channel>& channel, Kind kind,
                               const std::vector<Request>& requests, const CallOptions& options = {});

// "one,two OK", "one UNKNOWN why": for comparing.
std::string ToString(const Outcome& outcome);

}  // namespace cloudstate::kinds
