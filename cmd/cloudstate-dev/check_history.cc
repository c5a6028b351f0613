#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

void AddCheckHistory(CLI::App& root, Invocation& invocation) {
  CLI::App* command = Command(root, "check-history", "Bring all stored events to the user function as it is now", "");
  command->group(kTestGroup);
  command->callback(
      [&invocation] { invocation.action = [] { return Fail(absl::UnimplementedError("not built yet")); }; });
}

}  // namespace cloudstate::cli
