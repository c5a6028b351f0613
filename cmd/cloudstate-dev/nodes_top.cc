#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/cluster_command.h"
#include "cmd/cloudstate-dev/cluster_text.h"
#include "cmd/cloudstate-dev/interruption.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/screen.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {
namespace {

constexpr int kEventsInPipe = 5;
constexpr int kEventsOnScreen = 100;

struct NodesTopOptions {
  absl::Duration interval = absl::Seconds(1);
  int count = 0;  // 0 for no end
};

absl::StatusOr<ClusterSnapshot> Look(Client& client, int events) {
  auto nodes = client.Call(&Client::ClusterStub::ListNodes, dev::v1::ListNodesRequest());
  if (!nodes.ok()) return nodes.status();
  auto network = client.Call(&Client::ClusterStub::GetNetwork, dev::v1::GetNetworkRequest());
  if (!network.ok()) return network.status();
  dev::v1::ListClusterEventsRequest newest;
  newest.set_limit(events);
  auto listed = client.Call(&Client::ClusterStub::ListClusterEvents, newest);
  if (!listed.ok()) return listed.status();
  return ClusterSnapshot{*std::move(nodes), *std::move(network), *std::move(listed)};
}

// The fields of all three answers in one document.
std::string SnapshotJson(const ClusterSnapshot& snapshot) {
  const std::string nodes = ToJson(snapshot.nodes);
  const std::string network = ToJson(snapshot.network);
  const std::string events = ToJson(snapshot.events);
  const auto inner = [](const std::string& object) { return object.substr(1, object.size() - 2); };
  return absl::StrCat("{", inner(nodes), ",", inner(network), ",", inner(events), "}");
}

int PrintAgainAndAgain(Client& client, const Settings& settings, const NodesTopOptions& options) {
  const Terminal terminal = StandardOutput();
  for (int shown = 1;; ++shown) {
    absl::StatusOr<ClusterSnapshot> snapshot = Look(client, kEventsInPipe);
    if (!snapshot.ok()) return Fail(snapshot.status());
    Print(settings.json
              ? SnapshotJson(*snapshot) + "\n"
              : absl::StrCat(FormatInstant(absl::Now()), "\n",
                             FormatSnapshot(*snapshot, std::numeric_limits<std::size_t>::max(), terminal), "\n"));
    if (shown == options.count) return kOk;
    absl::SleepFor(options.interval);
  }
}

int ShowOnScreen(const Settings& settings, const NodesTopOptions& options) {
  Screen screen;
  // Before the connection, so that its threads leave the signals alone.
  const Interruption interruption([&] { screen.End(); });
  absl::StatusOr<std::unique_ptr<Client>> client = Client::ConnectToAny(settings);
  if (!client.ok()) {
    screen.End();
    return Fail(client.status(), kNotFound);
  }
  absl::Status failure;
  for (int shown = 1;; ++shown) {
    absl::StatusOr<ClusterSnapshot> snapshot = Look(**client, kEventsOnScreen);
    if (!snapshot.ok()) {
      failure = snapshot.status();
      break;
    }
    const Terminal terminal = StandardOutput();
    std::string title = absl::StrCat("cloudstate-dev at ", (*client)->address(), "; q ends");
    if (terminal.width > 0) title = Truncated(title, terminal.width);
    screen.Draw(absl::StrCat(Styled(title, Style::kDim, terminal), "\n\n",
                             FormatSnapshot(*snapshot, Screen::Height() - 3, terminal)));
    if (shown == options.count || !screen.Wait(options.interval)) break;
  }
  screen.End();
  return failure.ok() ? kOk : Fail(failure);
}

int Run(const Settings& settings, const NodesTopOptions& options) {
  if (StandardOutput().interactive && !settings.json) return ShowOnScreen(settings, options);
  absl::StatusOr<std::unique_ptr<Client>> client = Client::ConnectToAny(settings);
  if (!client.ok()) return Fail(client.status(), kNotFound);
  return PrintAgainAndAgain(**client, settings, options);
}

}  // namespace

void AddNodesTop(CLI::App& nodes, Invocation& invocation) {
  auto options = std::make_shared<NodesTopOptions>();
  CLI::App* command = Command(nodes, "top", "Show nodes, network and newest events as they change, until q or Ctrl-C",
                              "  cloudstate-dev nodes top\n"
                              "  cloudstate-dev nodes top --count 1 | cat      once, as plain text\n"
                              "  cloudstate-dev nodes top --json --interval 5s | jq -c '[.nodes[].state]'");
  DurationSetting(*command, "--interval", "", options->interval, "How often to look");
  command->add_option("--count", options->count, "End after so many looks; 0 for no end")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return Run(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
