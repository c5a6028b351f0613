#include "cmd/cloudstate-dev/await_idle.h"

#include "emulator/base/proto_time.h"

namespace cloudstate::cli {

absl::Status AwaitIdle(Client& client, absl::Duration deadline) {
  dev::v1::WaitRequest request;
  *request.mutable_timeout() = base::ToDuration(deadline);
  return client.Call(&Client::TestingStub::Wait, request).status();
}

}  // namespace cloudstate::cli
