#include "emulator/scaling/node_report.h"

#include "emulator/base/proto_time.h"

namespace cloudstate::scaling {
namespace {

Usage UsageOf(const trace::LoadMeter::Reading& since, absl::Duration length) {
  return {.concurrency = length > absl::ZeroDuration() ? absl::FDivDuration(since.integral, length) : 0,
          .time = since.time,
          .count = since.ended};
}

dev::v1::Usage ToProto(const Usage& usage) {
  dev::v1::Usage result;
  result.set_concurrency(usage.concurrency);
  result.set_count(usage.count);
  *result.mutable_time() = base::ToDuration(usage.time);
  return result;
}

}  // namespace

NodeReport ReportOf(std::uint32_t node, const trace::NodeLoad::Reading& before, const trace::NodeLoad::Reading& after,
                    absl::Time end, absl::Duration length) {
  return {.node = node,
          .end = end,
          .length = length,
          .requests = UsageOf(after.requests - before.requests, length),
          .user_function = UsageOf(after.user_function - before.user_function, length),
          .journal = UsageOf(after.journal - before.journal, length)};
}

dev::v1::NodeLoad ToProto(const NodeReport& report) {
  dev::v1::NodeLoad load;
  *load.mutable_length() = base::ToDuration(report.length);
  *load.mutable_requests() = ToProto(report.requests);
  *load.mutable_user_function() = ToProto(report.user_function);
  *load.mutable_journal() = ToProto(report.journal);
  return load;
}

}  // namespace cloudstate::scaling
