#include "emulator/admin/since.h"

#include <algorithm>
#include <utility>

namespace cloudstate::admin {
namespace {

absl::Status AddEvents(Views& views, std::int64_t position, int limit, dev::v1::ListSinceResponse& response) {
  for (int left = limit; left > 0; left = limit - response.events_size()) {
    absl::StatusOr<Views::Following> following = views.EventsAfter(position, dev::v1::EventFilter(), left);
    if (!following.ok()) return following.status();
    for (dev::v1::Event& event : following->events) *response.add_events() = std::move(event);
    position = following->position;
    response.mutable_mark()->set_position(position);
    if (following->complete) return absl::OkStatus();
  }
  const absl::StatusOr<std::int64_t> last = views.LastPosition();
  if (!last.ok()) return last.status();
  // More than there are if some have been deleted, whose positions stay empty.
  response.set_missed(response.missed() + std::max<std::int64_t>(*last - position, 0));
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckMark(const dev::v1::Mark& mark) {
  if (mark.position() >= 0 && mark.commands() >= 0 && mark.cluster_events() >= 0 && mark.log_lines() >= 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("That is no mark: its numbers are 0 or more. GetMark gives one.");
}

absl::StatusOr<dev::v1::Mark> WithPosition(Views& views, dev::v1::Mark mark) {
  const absl::StatusOr<std::int64_t> position = views.LastPosition();
  if (!position.ok()) return position.status();
  mark.set_position(*position);
  return mark;
}

absl::StatusOr<dev::v1::ListSinceResponse> DescribeSince(Views& views, const Live::Since& since, std::int64_t position,
                                                         int limit) {
  dev::v1::ListSinceResponse response;
  response.set_missed(since.missed);
  *response.mutable_mark() = since.mark;
  for (const auto& trace : since.traces) {
    absl::StatusOr<dev::v1::CommandTrace> view = views.Trace(*trace);
    if (!view.ok()) return view.status();
    *response.add_commands() = *std::move(view);
  }
  for (const dev::v1::ClusterEvent& event : since.cluster_events) *response.add_cluster_events() = event;
  if (absl::Status status = AddEvents(views, position, limit, response); !status.ok()) return status;
  return response;
}

}  // namespace cloudstate::admin
