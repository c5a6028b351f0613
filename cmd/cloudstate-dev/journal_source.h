#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cmd/cloudstate-dev/commands.h"

namespace cloudstate::cli {

// The journal that the settings mean, through the emulator that writes it or, when none does, as a file. Calls block;
// they mean what the admin contract says.
class JournalSource {
 public:
  // NOT_FOUND or UNAVAILABLE, saying what to do, if there is neither.
  static absl::StatusOr<std::unique_ptr<JournalSource>> Open(const Settings& settings);
  virtual ~JournalSource() = default;

  virtual absl::StatusOr<dev::v1::ListEntitiesResponse> ListEntities(const dev::v1::ListEntitiesRequest& request) = 0;
  virtual absl::StatusOr<dev::v1::Entity> GetEntity(const dev::v1::GetEntityRequest& request) = 0;
  virtual absl::StatusOr<dev::v1::ListEventsResponse> ListEvents(const dev::v1::ListEventsRequest& request) = 0;
  virtual absl::StatusOr<dev::v1::ListSnapshotsResponse> ListSnapshots(
      const dev::v1::ListSnapshotsRequest& request) = 0;
  virtual absl::StatusOr<dev::v1::ListNewestEventsResponse> ListNewestEvents(
      const dev::v1::ListNewestEventsRequest& request) = 0;

  // Hands over events as they are stored; returns only when that has become impossible.
  virtual absl::Status Watch(const dev::v1::WatchEventsRequest& request,
                             const std::function<void(dev::v1::Event&)>& on_event) = 0;
};

// Tells why Open failed and returns the exit code for it.
int FailToOpen(const absl::Status& status);

}  // namespace cloudstate::cli
