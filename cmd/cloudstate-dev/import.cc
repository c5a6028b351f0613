#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

void AddImport(CLI::App& root, Invocation& invocation) {
  CLI::App* command = Command(root, "import", "Make a journal of such a file", "");
  command->group(kTestGroup);
  command->callback(
      [&invocation] { invocation.action = [] { return Fail(absl::UnimplementedError("not built yet")); }; });
}

}  // namespace cloudstate::cli
