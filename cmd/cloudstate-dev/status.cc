#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/scaling_text.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/admin/views.h"

namespace cloudstate::cli {
namespace {

struct Shown {
  std::string text;
  Style style;
};

Shown State(const dev::v1::UserFunction& user_function) {
  switch (user_function.state()) {
    case dev::v1::UserFunction::READY:
      return {"ready", Style::kGood};
    case dev::v1::UserFunction::REJECTED:
      return {"rejected", Style::kBad};
    case dev::v1::UserFunction::WAITING:
      return {"waiting for it", Style::kWarning};
    case dev::v1::UserFunction::IDLE:
      return {"scaled to zero; calls are held", Style::kPlain};
    default:
      return {"unknown", Style::kWarning};
  }
}

std::string FormatUserFunction(const dev::v1::UserFunction& user_function, const Terminal& terminal) {
  const Shown state = State(user_function);
  std::string text = absl::StrCat("User function  ", Styled(state.text, state.style, terminal),
                                  user_function.address().empty() ? "" : absl::StrCat(" at ", user_function.address()),
                                  ", since ", FormatWhen(admin::FromTimestamp(user_function.since()), terminal), "\n");
  auto line = [&](const std::string& value) {
    if (!value.empty()) absl::StrAppend(&text, "               ", Printable(value), "\n");
  };
  line(user_function.problem());
  if (!user_function.service_name().empty()) {
    line(absl::StrCat(user_function.service_name(), " ", user_function.service_version(), " on ",
                      user_function.support_library_name(), " ", user_function.support_library_version(), ", protocol ",
                      user_function.dialect()));
  }
  if (!user_function.command().empty()) {
    line(absl::StrCat("started as `", absl::StrJoin(user_function.command(), " "), "`, pid ", user_function.pid(), ", ",
                      user_function.restarts(), " restarts"));
  }
  return text;
}

// Nothing where scaling is off.
std::string ScalingLine(const dev::v1::ScalingState& scaling) {
  if (scaling.mode() == "off") return "";
  return absl::StrCat("\nScaling        ", Printable(scaling.mode()), ", ", FormatReplicaCounts(scaling));
}

std::string Format(const dev::v1::Status& status, const dev::v1::ScalingState& scaling, const Terminal& terminal) {
  const std::string kept = status.data_directory().empty()
                               ? "kept until the emulator ends"
                               : absl::StrCat("in ", status.data_directory(), ", durability ", status.durability());
  return absl::StrCat(
      "Emulator       ", Styled(absl::StrCat("cloudstate-dev ", status.version()), Style::kBold, terminal), " (",
      status.commit(), "), pid ", status.pid(), ", started ",
      FormatWhen(admin::FromTimestamp(status.started()), terminal), "\nClients        ", status.client_address(),
      "\nAdmin          ", status.admin_address(), "\nMetrics        ", status.metrics_address(), "\nJournal        ",
      Counted(status.stored_events(), "event"), " ", Printable(kept),
      status.nodes() > 1 ? absl::StrCat("\nNodes          ", status.nodes(), " run") : "", ScalingLine(scaling),
      "\nEntities       ", status.active_entities(), " active, ", status.waiting_commands(), " commands waiting\n",
      FormatUserFunction(status.user_function(), terminal));
}

int Run(const Settings& settings) {
  absl::StatusOr<std::unique_ptr<Client>> client = Client::ConnectToAny(settings);
  if (!client.ok()) return Fail(client.status(), kNotFound);
  absl::StatusOr<dev::v1::Status> status = (*client)->Call(&Client::Stub::GetStatus, dev::v1::GetStatusRequest());
  if (!status.ok()) return Fail(status.status());
  if (settings.json) {
    Print(ToJson(*status) + "\n");
    return kOk;
  }
  const auto scaling = (*client)->Call(&Client::ScalingStub::GetScaling, dev::v1::GetScalingRequest());
  if (!scaling.ok()) return Fail(scaling.status());
  Print(Format(*status, *scaling, StandardOutput()));
  return kOk;
}

}  // namespace

void AddStatus(CLI::App& root, Invocation& invocation) {
  CLI::App* command = Command(root, "status", "Show what runs and whether the user function is reached",
                              "  cloudstate-dev status\n"
                              "  cloudstate-dev status --json | jq -r .userFunction.state");
  command->group(kLookGroup);
  command->callback([&invocation] { invocation.action = [&invocation] { return Run(invocation.settings); }; });
}

}  // namespace cloudstate::cli
