#include "cmd/cloudstate-dev/test_emulator.h"

#include <utility>

#include "emulator/base/proto_time.h"

namespace cloudstate::cli {

absl::Status TestEmulator::AwaitRest(Rest rest) {
  constexpr absl::Duration kLongest = absl::Seconds(5);
  dev::v1::WaitRequest request;
  request.set_converged(rest == Rest::kConverged);
  *request.mutable_timeout() = base::ToDuration(kLongest);
  return Call(&dev::v1::Testing::Stub::Wait, request).status();
}

absl::Status TestEmulator::BeginToWatch() {
  commands_.clear();
  events_.clear();
  absl::StatusOr<dev::v1::Mark> mark = Call(&dev::v1::Testing::Stub::GetMark, dev::v1::GetMarkRequest());
  if (!mark.ok()) return mark.status();
  mark_ = *std::move(mark);
  return absl::OkStatus();
}

absl::Status TestEmulator::LookAgain() {
  constexpr int kAtOnce = 1000;
  bool more = true;
  while (more) {
    dev::v1::ListSinceRequest request;
    *request.mutable_mark() = mark_;
    request.set_limit(kAtOnce);
    absl::StatusOr<dev::v1::ListSinceResponse> since = Call(&dev::v1::Testing::Stub::ListSince, request);
    if (!since.ok()) return since.status();
    for (dev::v1::CommandTrace& each : *since->mutable_commands()) commands_.push_back(std::move(each));
    for (dev::v1::Event& each : *since->mutable_events()) events_.push_back(std::move(each));
    mark_ = since->mark();
    more = since->events_size() == kAtOnce || since->commands_size() == kAtOnce;
  }
  return absl::OkStatus();
}

}  // namespace cloudstate::cli
