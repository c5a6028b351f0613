#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/cloudstate-dev/client.h"
#include "emulator/base/entity_key.h"
#include "emulator/fuzzing/method.h"
#include "emulator/fuzzing/outcome.h"

namespace cloudstate::cli {

// What fuzz-user-function asks of an emulator.

std::string InputJson(const google::protobuf::Value& input);

// One message in, whatever comes out. An input that the emulator refuses is a response with INVALID_ARGUMENT.
absl::StatusOr<dev::v1::CallResponse> CallOnce(Client& client, const fuzzing::Method& method, const std::string& json,
                                               absl::Duration deadline);
// Several messages in; of the answer only how it ended.
absl::StatusOr<dev::v1::CallResponse> CallWithStream(Client& client, const fuzzing::Method& method,
                                                     const std::vector<std::string>& inputs, absl::Duration deadline);

// Of the entity's newest event; 0 where nothing is stored.
absl::StatusOr<std::int64_t> LastSequence(Client& client, const base::EntityKey& key);

// What a call led to: by its trace, and by what it stored behind `sequence`.
absl::StatusOr<fuzzing::Outcome> OutcomeOf(Client& client, const std::string& trace_id, const base::EntityKey& key,
                                           const std::string& method, std::int64_t sequence);

absl::Status EvictEntity(Client& client, const std::string& service, const std::string& entity_id);

}  // namespace cloudstate::cli
