#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/replay.pb.h"
#include "emulator/entities/replay_run.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::admin {

// A replay as people ask for it, in the words of the user function.

// The service whose stream the entity gets: that of the first command or, where it names none, `last_service`, which
// wrote last. INVALID_ARGUMENT where it is not there, or is not of the entity, or of another kind than those that are
// replayed.
absl::StatusOr<const userfunction::ServiceSpec*> FindReplayedService(const userfunction::Specification& specification,
                                                                     const dev::v1::ReplayRequest& request,
                                                                     const std::string& last_service);

// The messages of the request's commands, with the entity's key where that is missing and is one field.
// INVALID_ARGUMENT for an unknown method, JSON that is no input, a key of several fields that is missing, and a command
// for another entity.
absl::StatusOr<std::vector<entities::ReplayPlan::Command>> ReadCommands(
    const userfunction::Specification& specification, const dev::v1::ReplayRequest& request,
    const userfunction::ServiceSpec& replayed);

}  // namespace cloudstate::admin
