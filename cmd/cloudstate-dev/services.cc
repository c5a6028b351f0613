#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/method_description.h"
#include "cmd/cloudstate-dev/payload_text.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {
namespace {

std::string FormatList(const dev::v1::ListServicesResponse& services, const Terminal& terminal) {
  if (services.services().empty()) {
    return "No services yet: the user function has not been reached. `cloudstate-dev status` says why.\n";
  }
  Table table({{"SERVICE"}, {"KIND"}, {"PERSISTENCE ID"}, {"METHODS"}});
  for (const dev::v1::Service& service : services.services()) {
    const std::string methods = absl::StrJoin(
        service.methods(), ", ", [](std::string* out, const dev::v1::Method& method) { out->append(method.name()); });
    table.AddRow({{service.name(), Style::kBold},
                  {ShortType(service.entity_type())},
                  {service.persistence_id()},
                  {methods, Style::kDim}});
  }
  return table.Format(terminal);
}

std::string FormatService(const dev::v1::Service& service, const Terminal& terminal) {
  std::string text =
      absl::StrCat(Styled(service.name(), Style::kBold, terminal), "  ", ShortType(service.entity_type()));
  if (!service.persistence_id().empty()) absl::StrAppend(&text, ", stored under ", service.persistence_id());
  absl::StrAppend(&text, "\n");
  for (const dev::v1::Method& method : service.methods()) {
    absl::StrAppend(&text, "\n", Styled(method.name(), Style::kBold, terminal), "(", ShortType(method.input_type()),
                    ") returns ", ShortType(method.output_type()), ", ", Shape(method));
    if (!method.key_fields().empty()) absl::StrAppend(&text, ", key ", absl::StrJoin(method.key_fields(), ", "));
    absl::StrAppend(&text, "\n");
    const std::string call = CallLines({&service, &method}, "").front();
    absl::StrAppend(&text, RouteLines(method), "  ", Styled(call, Style::kDim, terminal), "\n");
  }
  return text;
}

int DescribeMethod(Client& client, const Settings& settings, const testing::MethodReference& method) {
  dev::v1::DescribeTypeRequest request;
  request.set_type(method.method->input_type());
  absl::StatusOr<dev::v1::TypeDescription> input = client.Call(&Client::Stub::DescribeType, request);
  if (!input.ok()) return Fail(input.status());
  absl::StatusOr<dev::v1::Status> status = client.Call(&Client::Stub::GetStatus, dev::v1::GetStatusRequest());
  if (!status.ok()) return Fail(status.status());
  Print(settings.json ? MethodToJson(method, *input, status->client_address()) + "\n"
                      : FormatMethod(method, *input, status->client_address(), StandardOutput()));
  return kOk;
}

// Whether `name`, which means nothing, was to be a method's: what stands before it may be one service or several.
bool NamesMethod(const dev::v1::ListServicesResponse& services, const std::string& name) {
  if (absl::StrContains(name, '/')) return true;
  const std::size_t dot = name.rfind('.');
  return dot != std::string::npos && !absl::IsNotFound(testing::FindService(services, name.substr(0, dot)).status());
}

// `name` is a service's or a method's; without one, all services.
int Run(const Settings& settings, const std::string& name) {
  absl::StatusOr<std::unique_ptr<Client>> client = Client::ConnectToAny(settings);
  if (!client.ok()) return Fail(client.status(), kNotFound);
  absl::StatusOr<dev::v1::ListServicesResponse> services =
      (*client)->Call(&Client::Stub::ListServices, dev::v1::ListServicesRequest());
  if (!services.ok()) return Fail(services.status());
  const Terminal terminal = StandardOutput();
  if (name.empty()) {
    Print(settings.json ? ToJson(*services) + "\n" : FormatList(*services, terminal));
    return kOk;
  }
  absl::StatusOr<const dev::v1::Service*> service = testing::FindService(*services, name);
  if (service.ok()) {
    Print(settings.json ? ToJson(**service) + "\n" : FormatService(**service, terminal));
    return kOk;
  }
  absl::StatusOr<testing::MethodReference> method = testing::FindMethod(*services, name);
  if (method.ok()) return DescribeMethod(**client, settings, *method);
  return Fail(NamesMethod(*services, name) ? method.status() : service.status());
}

}  // namespace

void AddServices(CLI::App& root, Invocation& invocation) {
  auto name = std::make_shared<std::string>();
  CLI::App* services =
      Command(root, "services", "Show the user function's services, methods and HTTP routes",
              "  cloudstate-dev services\n"
              "  cloudstate-dev services describe ShoppingCart           with routes and calls to copy\n"
              "  cloudstate-dev services describe ShoppingCart.AddItem   with its input's fields");
  services->group(kLookGroup);
  services->require_subcommand(0, 1);
  // Runs for `describe` as well, which only fills in the name.
  services->callback(
      [&invocation, name] { invocation.action = [&invocation, name] { return Run(invocation.settings, *name); }; });
  CLI::App* describe = Command(*services, "describe", "Show a service, or a method with its input and calls to copy",
                               "  cloudstate-dev services describe ShoppingCart\n"
                               "  cloudstate-dev services describe ShoppingCart.AddItem\n"
                               "  cloudstate-dev services describe ShoppingCart/AddItem --json | jq -r '.lines[]'");
  describe->add_option("NAME", *name, "SERVICE or SERVICE.METHOD; the service's last name is enough if only one has it")
      ->required();
}

}  // namespace cloudstate::cli
