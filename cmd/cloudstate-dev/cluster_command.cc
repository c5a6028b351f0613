#include "cmd/cloudstate-dev/cluster_command.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/cluster_values.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

void SetClusterAction(CLI::App& command, Invocation& invocation, ClusterAction action, std::function<void()> check) {
  command.callback([&invocation, action = std::move(action), check = std::move(check)] {
    if (check) check();
    invocation.action = [&invocation, action]() -> int {
      absl::StatusOr<std::unique_ptr<Client>> client = Client::ConnectToAny(invocation.settings);
      if (!client.ok()) return Fail(client.status(), kNotFound);
      return action(**client, invocation.settings);
    };
  });
}

void AddNodeArgument(CLI::App& command, std::int32_t& node) {
  AddNode(command, "NODE", node, "Its number, as `nodes ls` shows it")->required();
}

CLI::Option* AddNode(CLI::App& command, const std::string& flags, std::int32_t& node, const std::string& description) {
  // An argument is called what it is already.
  return AddParsed(command, flags, node, ParseNode, description)->type_name(absl::StartsWith(flags, "-") ? "NODE" : "");
}

int SteerCluster(Client& client, const Settings& settings, const dev::v1::Steering& steering, const std::string& next) {
  absl::StatusOr<dev::v1::SteerResponse> response = client.Call(&Client::ClusterStub::Steer, steering);
  if (!response.ok()) return Fail(response.status());
  const Terminal terminal = StandardOutput();
  Print(settings.json ? ToJson(*response) + "\n"
                      : absl::StrCat(Printable(response->text()), "\n", Styled(next, Style::kDim, terminal), "\n"));
  return kOk;
}

}  // namespace cloudstate::cli
