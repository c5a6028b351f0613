#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

void AddReplay(CLI::App& root, Invocation& invocation) {
  CLI::App* command = Command(root, "replay", "Play test files into the emulator that runs", "");
  command->group(kTestGroup);
  command->callback(
      [&invocation] { invocation.action = [] { return Fail(absl::UnimplementedError("not built yet")); }; });
}

}  // namespace cloudstate::cli
