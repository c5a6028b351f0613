#include "cmd/cloudstate-dev/test_emulator.h"

#include <utility>

#include "emulator/base/proto_time.h"

namespace cloudstate::cli {

absl::Status TestEmulator::AwaitRest(Rest rest, absl::Duration longest) {
  dev::v1::WaitRequest request;
  request.set_converged(rest == Rest::kConverged);
  *request.mutable_timeout() = base::ToDuration(longest);
  return Call(&dev::v1::Testing::Stub::Wait, request).status();
}

absl::Status TestEmulator::BeginToWatch() {
  commands_.clear();
  events_.clear();
  absl::StatusOr<dev::v1::Mark> mark = Call(&dev::v1::Testing::Stub::GetMark, dev::v1::GetMarkRequest());
  if (!mark.ok()) return mark.status();
  mark_ = *std::move(mark);
  log_lines_before_ = mark_.log_lines();
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

absl::StatusOr<std::vector<std::string>> TestEmulator::Complaints() {
  constexpr int kMostLines = 10'000;
  dev::v1::ListLogLinesRequest request;
  request.set_limit(kMostLines);
  request.mutable_filter()->set_source("emulator");
  request.mutable_filter()->set_level("error");
  const absl::StatusOr<dev::v1::ListLogLinesResponse> listed = Call(&dev::v1::Figures::Stub::ListLogLines, request);
  if (!listed.ok()) return listed.status();
  std::vector<std::string> complaints;
  for (const dev::v1::LogLine& line : listed->lines()) {
    if (line.number() > log_lines_before_) complaints.push_back(line.text());
  }
  return complaints;
}

}  // namespace cloudstate::cli
