#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

void AddFuzzUserFunction(CLI::App& root, Invocation& invocation) {
  CLI::App* command = Command(root, "fuzz-user-function", "Look for mistakes of a user function", "");
  command->group(kTestGroup);
  command->callback(
      [&invocation] { invocation.action = [] { return Fail(absl::UnimplementedError("not built yet")); }; });
}

}  // namespace cloudstate::cli
