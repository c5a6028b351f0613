#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cmd/cloudstate-dev/client.h"

namespace cloudstate::cli {

// An entity of a journal that an emulator writes to, for what only that emulator can do.
struct RunningEntity {
  std::unique_ptr<Client> client;
  dev::v1::Entity entity;
};

// `name` is PERSISTENCE_ID|ENTITY_ID or the entity's id alone. The emulator is the one that holds the data directory,
// or that --admin names: never another one that happens to run. UNAVAILABLE where there is none; else as FindEntity.
absl::StatusOr<RunningEntity> FindRunningEntity(const Settings& settings, const std::string& name);

// Tells why that failed and returns the exit code for it.
int FailToFind(const absl::Status& status);

}  // namespace cloudstate::cli
