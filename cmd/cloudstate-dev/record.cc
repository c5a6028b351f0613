#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

void AddRecord(CLI::App& root, Invocation& invocation) {
  CLI::App* command = Command(root, "record", "Write what clients do into a test file", "");
  command->group(kTestGroup);
  command->callback(
      [&invocation] { invocation.action = [] { return Fail(absl::UnimplementedError("not built yet")); }; });
}

}  // namespace cloudstate::cli
