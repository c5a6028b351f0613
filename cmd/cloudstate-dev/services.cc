#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/method_reference.h"
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

std::string FormatMethod(const dev::v1::Service& service, const dev::v1::Method& method, const Terminal& terminal) {
  auto type = [](bool streaming, const std::string& name) {
    return absl::StrCat(streaming ? "stream " : "", ShortType(name));
  };
  std::string text = absl::StrCat("\n", Styled(method.name(), Style::kBold, terminal), "(",
                                  type(method.client_streaming(), method.input_type()), ") returns ",
                                  type(method.server_streaming(), method.output_type()));
  if (!method.key_fields().empty()) absl::StrAppend(&text, ", key ", absl::StrJoin(method.key_fields(), ", "));
  absl::StrAppend(&text, "\n");
  for (const dev::v1::HttpBinding& binding : method.http()) {
    absl::StrAppend(&text, "  ", binding.method(), " ", binding.path(),
                    binding.body().empty() ? "" : absl::StrCat("  (body: ", binding.body(), ")"), "\n");
  }
  const std::string input = absl::StrReplaceAll(method.example(), {{"'", "'\\''"}});
  absl::StrAppend(&text,
                  Styled(absl::StrCat("  cloudstate-dev call ", service.name(), "/", method.name(), " '", input, "'"),
                         Style::kDim, terminal),
                  "\n");
  return text;
}

std::string FormatService(const dev::v1::Service& service, const Terminal& terminal) {
  std::string text =
      absl::StrCat(Styled(service.name(), Style::kBold, terminal), "  ", ShortType(service.entity_type()));
  if (!service.persistence_id().empty()) absl::StrAppend(&text, ", stored under ", service.persistence_id());
  absl::StrAppend(&text, "\n");
  for (const dev::v1::Method& method : service.methods())
    absl::StrAppend(&text, FormatMethod(service, method, terminal));
  return text;
}

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
  absl::StatusOr<const dev::v1::Service*> service = FindService(*services, name);
  if (!service.ok()) return Fail(service.status());
  Print(settings.json ? ToJson(**service) + "\n" : FormatService(**service, terminal));
  return kOk;
}

}  // namespace

void AddServices(CLI::App& root, Invocation& invocation) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = Command(root, "services", "Show the user function's services, methods and HTTP routes",
                              "  cloudstate-dev services\n"
                              "  cloudstate-dev services ShoppingCart        with routes and calls to copy");
  command->group(kLookGroup);
  command->add_option("SERVICE", *name, "One service in detail; its last name is enough if only one has it");
  command->callback(
      [&invocation, name] { invocation.action = [&invocation, name] { return Run(invocation.settings, *name); }; });
}

}  // namespace cloudstate::cli
