#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/testing.pb.h"
#include "emulator/admin/live.h"
#include "emulator/admin/views.h"

namespace cloudstate::admin {

// What has happened since a mark: what the running emulator knows of it, with the journal's part. Errors are the
// journal's.

// INVALID_ARGUMENT for one that no emulator has given.
absl::Status CheckMark(const dev::v1::Mark& mark);

absl::StatusOr<dev::v1::Mark> WithPosition(Views& views, dev::v1::Mark mark);

// `since` in the words of the contract, and at most `limit` events behind `position`. Asked for after `since` was: what
// a command stored is there if the command is.
absl::StatusOr<dev::v1::ListSinceResponse> DescribeSince(Views& views, const Live::Since& since, std::int64_t position,
                                                         int limit);

}  // namespace cloudstate::admin
