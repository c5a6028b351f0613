#include <memory>
#include <random>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "emulator/cluster/latency.h"
#include "samples/cpp/samples.h"

namespace cloudstate::cli {
namespace {

// Each drawn by itself, differently each time the sample runs.
std::function<absl::Duration()> DrawTimes(const std::string& text) {
  const absl::StatusOr<cluster::Latency> times = cluster::Latency::Parse(text);
  if (!times.ok()) throw CLI::ValidationError(absl::StrCat("--work: ", std::string(times.status().message())));
  return [times = *times, random = base::Random(std::random_device()())]() mutable { return times.Draw(random); };
}

void AddWork(CLI::App& command, samples::SampleOptions& options) {
  command
      .add_option_function<std::string>(
          "--work", [&options](const std::string& text) { options.work.time = DrawTimes(text); },
          "How long each command takes, as 20ms or \"exponential(20ms)\": to try scaling with; the processor is left "
          "alone")
      ->type_name("TIME");
  command
      .add_option("--workers", options.work.workers,
                  "Commands that are worked on at once, the others wait in turn; 0 for no limit")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace

void AddSample(CLI::App& root, Invocation& invocation) {
  CLI::App* sample =
      Command(root, "sample", "Run a built-in user function by itself, without an emulator",
              "  cloudstate-dev sample shopping-cart --port 8080\n"
              "  cloudstate-dev run --user-function 127.0.0.1:8080       in another terminal\n"
              "  cloudstate-dev run --scaling knative -- cloudstate-dev sample shopping-cart --work 20ms "
              "--workers 1");
  sample->group(kRunGroup);
  sample->require_subcommand(1);
  auto options = std::make_shared<samples::SampleOptions>();
  for (const samples::Sample& offered : samples::Samples()) {
    CLI::App* command = Command(*sample, offered.name, offered.description, "  cloudstate-dev sample " + offered.name);
    Setting(*command, "--host", "HOST", options->host, "The address to listen on")->type_name("HOST");
    Setting(*command, "--port", "PORT", options->port, "The port to listen on")->type_name("PORT");
    if (offered.takes_work) AddWork(*command, *options);
    command->callback([&invocation, &offered, options] {
      invocation.action = [&offered, options] { return samples::RunSample(offered, *options); };
    });
  }
}

}  // namespace cloudstate::cli
