#pragma once

#include <string>

#include "absl/status/status.h"
#include "cmd/cloudstate-dev/commands.h"
#include "cmd/cloudstate-dev/journal_source.h"

namespace cloudstate::cli {

// Makes what a person calls a service, such as the last part of its name, the full name that filters want: of those
// that the journal which the settings mean has entities of. NOT_FOUND says what may have been meant. An empty name
// stays that, and so does any where nothing is stored.
absl::Status UseStoredService(const Settings& settings, std::string& service);
absl::Status UseStoredService(JournalSource& journal, std::string& service);

}  // namespace cloudstate::cli
