#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

void AddTest(CLI::App& root, Invocation& invocation) {
  CLI::App* command = Command(root, "test", "Run the cases of test files", "");
  command->group(kTestGroup);
  command->callback(
      [&invocation] { invocation.action = [] { return Fail(absl::UnimplementedError("not built yet")); }; });
}

}  // namespace cloudstate::cli
