#include <memory>

#include "cmd/cloudstate-dev/command_line.h"
#include "samples/cpp/samples.h"

namespace cloudstate::cli {

void AddSample(CLI::App& root, Invocation& invocation) {
  CLI::App* sample = Command(root, "sample", "Run a built-in user function by itself, without an emulator",
                             "  cloudstate-dev sample shopping-cart --port 8080\n"
                             "  cloudstate-dev run --user-function 127.0.0.1:8080       in another terminal");
  sample->group(kRunGroup);
  sample->require_subcommand(1);
  auto options = std::make_shared<samples::SampleOptions>();
  for (const samples::Sample& offered : samples::Samples()) {
    CLI::App* command = Command(*sample, offered.name, offered.description, "  cloudstate-dev sample " + offered.name);
    Setting(*command, "--host", "HOST", options->host, "The address to listen on")->type_name("HOST");
    Setting(*command, "--port", "PORT", options->port, "The port to listen on")->type_name("PORT");
    command->callback([&invocation, &offered, options] {
      invocation.action = [&offered, options] { return samples::RunSample(offered, *options); };
    });
  }
}

}  // namespace cloudstate::cli
