#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cmd/cloudstate-dev/commands.h"
#include "emulator/journal/directory_lock.h"

namespace cloudstate::cli {

enum class Verdict { kOk, kWarning, kFailed };

// One thing that was looked at.
struct Check {
  Verdict verdict = Verdict::kOk;
  std::string subject;  // "journal", "port 9000"
  std::string finding;  // what is so, and what to do if it should not be
};

// Who holds the data directory; none where it can't be told, which another check says.
std::optional<journal::LockHolder> FindLockHolder(const std::string& directory);

Check CheckDataDirectory(const std::string& directory);
Check CheckJournal(const std::string& directory);  // reads all of it
Check CheckFreeDisk(const std::string& directory);
// Whether `run` could listen on the port, or who does; `holder` may.
Check CheckPort(std::uint16_t port, const std::string& purpose, const std::optional<journal::LockHolder>& holder);
// Asks the user function at HOST:PORT what it declares.
Check CheckUserFunction(const std::string& address);
Check CheckOpenFiles();

}  // namespace cloudstate::cli
