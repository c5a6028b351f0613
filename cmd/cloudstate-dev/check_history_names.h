#pragma once

#include <vector>

#include "absl/status/status.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cmd/cloudstate-dev/check_history_entity.h"
#include "cmd/cloudstate-dev/client.h"
#include "emulator/testing/known_types.h"

namespace cloudstate::cli {

// Makes the names of a method and of fields that people have written those that the check looks for. What nobody has
// would look for nothing: INVALID_ARGUMENT or NOT_FOUND, which says what may have been meant.
absl::Status ResolveNames(Client& client, const std::vector<dev::v1::Entity>& entities, HistoryCheck& check);

// The field of a message that "ItemAdded.time" names, with the type's full name or, where several types are called so,
// as it is. NOT_FOUND where there is no such type, INVALID_ARGUMENT where it has no such field.
absl::StatusOr<std::string> FindIgnoredField(const testing::KnownTypes& types, const std::string& written);

}  // namespace cloudstate::cli
