#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/method_reference.h"
#include "cmd/cloudstate-dev/payload_text.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/admin/views.h"

namespace cloudstate::cli {
namespace {

struct Options {
  std::string method;
  std::string input = "{}";
  std::vector<std::string> headers;
  std::string deadline;
};

// JSON as it is, standard input for "-", a file for "@FILE".
absl::StatusOr<std::string> ReadInput(const std::string& input) {
  if (input == "-") return std::string{std::istreambuf_iterator<char>(std::cin), {}};
  if (input.empty() || input[0] != '@') return input;
  std::ifstream file(input.substr(1), std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    return absl::InvalidArgumentError(absl::StrCat("The file ", input.substr(1), " can't be read."));
  }
  return text;
}

absl::StatusOr<dev::v1::CallRequest> MakeRequest(const Options& options) {
  dev::v1::CallRequest request;
  absl::StatusOr<std::string> json = ReadInput(options.input);
  if (!json.ok()) return json.status();
  request.set_json(*std::move(json));
  for (const std::string& header : options.headers) {
    const std::size_t colon = header.find(':');
    if (colon == std::string::npos || colon == 0) {
      return absl::InvalidArgumentError(absl::StrCat("'", header, "' is no header. Write it as NAME:VALUE."));
    }
    (*request.mutable_headers())[header.substr(0, colon)] =
        std::string(absl::StripAsciiWhitespace(header.substr(colon + 1)));
  }
  if (options.deadline.empty()) return request;
  absl::Duration deadline;
  if (!absl::ParseDuration(options.deadline, &deadline) || deadline <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", options.deadline, "' is no deadline. Write it as 500ms, 5s or 1m30s."));
  }
  *request.mutable_deadline() = admin::ToDuration(deadline);
  return request;
}

int Run(const Settings& settings, const Options& options) {
  absl::StatusOr<dev::v1::CallRequest> request = MakeRequest(options);
  if (!request.ok()) return Fail(request.status(), kUsage);
  absl::StatusOr<std::unique_ptr<Client>> client = Client::ConnectToAny(settings);
  if (!client.ok()) return Fail(client.status(), kNotFound);
  absl::StatusOr<dev::v1::ListServicesResponse> services =
      (*client)->Call(&Client::Stub::ListServices, dev::v1::ListServicesRequest());
  if (!services.ok()) return Fail(services.status());
  absl::StatusOr<MethodReference> method = FindMethod(*services, options.method);
  if (!method.ok()) return Fail(method.status());
  request->set_service(method->service);
  request->set_method(method->method);

  absl::StatusOr<dev::v1::CallResponse> response = (*client)->Call(&Client::Stub::Call, *request);
  if (!response.ok()) return Fail(response.status());
  if (settings.json) {
    Print(ToJson(*response) + "\n");
  } else {
    for (const std::string& reply : response->replies()) Print(reply + "\n");
  }
  if (response->code() == 0) return kOk;
  PrintError(absl::StrCat(CodeName(response->code()), ": ", Printable(response->message())));
  return kFailed;
}

}  // namespace

void AddCall(CLI::App& root, Invocation& invocation) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      Command(root, "call", "Call a method of the user function with JSON",
              "  cloudstate-dev call ShoppingCart/GetCart '{\"userId\": \"me\"}'\n"
              "  cloudstate-dev call com.example.shoppingcart.ShoppingCart/AddItem @item.json\n"
              "  echo '{\"userId\": \"me\"}' | cloudstate-dev call ShoppingCart.GetCart - --deadline 2s");
  command->group(kUseGroup);
  command->add_option("METHOD", options->method, "SERVICE/METHOD; the service's last name is enough if only one has it")
      ->required();
  command->add_option("JSON", options->input, "The input message; - reads standard input, @FILE a file")
      ->capture_default_str();
  command->add_option("-H,--header", options->headers, "A request header; the value of a -bin one in base64")
      ->type_name("NAME:VALUE")
      ->type_size(1)
      ->allow_extra_args(false);
  command->add_option("--deadline", options->deadline, "How long the call may take, such as 5s")->type_name("TIME");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return Run(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
