#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/crdt.pb.h"
#include "cmd/cloudstate-dev/client.h"

namespace cloudstate::cli {

// The CRDT entity that the one or two words mean, as ParseEntityReference reads them. NOT_FOUND, naming those that
// there are, or INVALID_ARGUMENT, naming the candidates where there are several.
absl::StatusOr<dev::v1::Crdt> FindCrdt(Client& client, const std::vector<std::string>& words);

// Gets pages until there are `limit` entities, or no more; `next_page_token` tells whether there are.
absl::StatusOr<dev::v1::ListCrdtsResponse> ListCrdts(Client& client, dev::v1::ListCrdtsRequest request, int limit);

}  // namespace cloudstate::cli
