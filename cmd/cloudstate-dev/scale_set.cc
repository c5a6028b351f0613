#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/cluster_command.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/scaling_text.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/scaling/settings.h"

namespace cloudstate::cli {
namespace {

constexpr char kWhat[] = "WHAT";

struct ScaleSetOptions {
  std::string mode;
  std::vector<std::string> words;
  dev::v1::SetScalingRequest request;
};

// A setting is checked by itself; whether all of them go together, only the emulator knows.
void AddSetting(const std::string& word, std::size_t equals, dev::v1::SetScalingRequest& request) {
  const std::string name = word.substr(0, equals);
  const std::string value = word.substr(equals + 1);
  scaling::Settings any;
  const absl::Status status = scaling::Set(any, name, value);
  if (!status.ok()) throw CLI::ValidationError(kWhat, std::string(status.message()));
  (*request.mutable_settings())[name] = value;
}

void AddReplicas(const std::string& word, dev::v1::SetScalingRequest& request) {
  int replicas = 0;
  if (!absl::SimpleAtoi(word, &replicas) || replicas < 0) {
    throw CLI::ValidationError(
        kWhat,
        absl::StrCat("takes a number of replicas or NAME=VALUE, such as 3 or scale-target=10, not '", word, "'"));
  }
  if (request.has_replicas()) throw CLI::ValidationError(kWhat, "takes one number of replicas");
  request.set_replicas(replicas);
}

// What the words mean together.
void ReadWords(ScaleSetOptions& options) {
  options.request.set_mode(options.mode);
  for (const std::string& word : options.words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      AddReplicas(word, options.request);
    } else {
      AddSetting(word, equals, options.request);
    }
  }
  if (options.mode.empty() && options.words.empty()) {
    throw CLI::ValidationError("Say a number of replicas, --mode, or NAME=VALUE.");
  }
  if (options.request.has_replicas() && !options.mode.empty() && options.mode != "manual") {
    throw CLI::ValidationError(
        "--mode", absl::StrCat("in mode ", options.mode, " the algorithm says how many replicas there are; leave out ",
                               options.request.replicas(), " or say --mode manual"));
  }
}

int SetScaling(Client& client, const Settings& settings, const dev::v1::SetScalingRequest& request) {
  const auto state = client.Call(&Client::ScalingStub::SetScaling, request);
  if (!state.ok()) return Fail(state.status());
  const Terminal terminal = StandardOutput();
  Print(settings.json
            ? ToJson(*state) + "\n"
            : absl::StrCat("Mode ", state->mode(), ": ", FormatReplicaCounts(*state), ".\n",
                           Styled("`cloudstate-dev scale watch` tells what comes of it, `scale status` what there is.",
                                  Style::kDim, terminal),
                           "\n"));
  return kOk;
}

}  // namespace

void AddScaleSet(CLI::App& scale, Invocation& invocation) {
  auto options = std::make_shared<ScaleSetOptions>();
  CLI::App* command = Command(scale, "set", "Say how many replicas there are to be, who says so, and settings",
                              "  cloudstate-dev scale set 3                                    in mode manual\n"
                              "  cloudstate-dev scale set --mode knative scale-target=10 scale-tick=1s\n"
                              "  cloudstate-dev scale set autoscaling.knative.dev/window=30s\n"
                              "  cloudstate-dev scale set --mode manual 0");
  command
      ->add_option(kWhat, options->words,
                   "A number of replicas, or settings as NAME=VALUE; `scale status --settings` has their names")
      ->type_name("");
  command->add_option("--mode", options->mode, "Who says how many replicas there are: you, or an algorithm")
      ->check(CLI::IsMember({"manual", "cloudstate", "knative"}));
  SetClusterAction(
      *command, invocation,
      [options](Client& client, const Settings& settings) { return SetScaling(client, settings, options->request); },
      [options] { ReadWords(*options); });
}

}  // namespace cloudstate::cli
