#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/call_input.h"
#include "cmd/cloudstate-dev/call_timeout.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/cluster_command.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/payload_text.h"
#include "cmd/cloudstate-dev/streamed_call.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/admin/views.h"
#include "emulator/serving/backend.h"
#include "emulator/testing/method_reference.h"

namespace cloudstate::cli {
namespace {

struct CallOptions {
  std::string method;
  std::vector<std::string> inputs;
  std::vector<std::string> headers;
  std::string deadline;
  std::int32_t node = 0;
};

absl::Status SetHeaders(const CallOptions& options, google::protobuf::Map<std::string, std::string>& headers) {
  for (const std::string& header : options.headers) {
    const std::size_t colon = header.find(':');
    if (colon == std::string::npos || colon == 0) {
      return absl::InvalidArgumentError(absl::StrCat("'", header, "' is no header. Write it as NAME:VALUE."));
    }
    headers[header.substr(0, colon)] = std::string(absl::StripAsciiWhitespace(header.substr(colon + 1)));
  }
  if (options.node != 0) headers[serving::kNodeHeader] = absl::StrCat(options.node);
  return absl::OkStatus();
}

// All but what is called.
absl::StatusOr<dev::v1::CallStart> MakeStart(const CallOptions& options) {
  dev::v1::CallStart start;
  if (absl::Status status = SetHeaders(options, *start.mutable_headers()); !status.ok()) return status;
  if (options.deadline.empty()) return start;
  absl::Duration deadline;
  if (!absl::ParseDuration(options.deadline, &deadline) || deadline <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", options.deadline, "' is no deadline. Write it as 500ms, 5s or 1m30s."));
  }
  *start.mutable_deadline() = admin::ToDuration(deadline);
  return start;
}

int CallUnary(Client& client, const Settings& settings, const dev::v1::CallStart& start, std::string json) {
  dev::v1::CallRequest request;
  request.set_service(start.service());
  request.set_method(start.method());
  request.set_json(std::move(json));
  *request.mutable_headers() = start.headers();
  if (start.has_deadline()) *request.mutable_deadline() = start.deadline();
  const CallTimeout timeout(start);
  grpc::ClientContext context;
  timeout.Limit(context);
  dev::v1::CallResponse response;
  const grpc::Status status = client.stub().Call(&context, request, &response);
  if (timeout.Ended(status)) {
    response.set_code(static_cast<int>(status.error_code()));
    response.set_message(timeout.Message());
    *response.mutable_duration() = timeout.Passed();
  } else if (!status.ok()) {
    return Fail(client.Failure(status));
  }
  if (settings.json) {
    Print(ToJson(response) + "\n");
  } else {
    for (const std::string& reply : response.replies()) Print(reply + "\n");
  }
  if (response.code() == 0) return kOk;
  PrintError(absl::StrCat(CodeName(response.code()), ": ", Printable(response.message())));
  return kFailed;
}

int CallWithOneMessage(Client& client, const Settings& settings, dev::v1::CallStart start, const CallOptions& options,
                       const dev::v1::Method& method) {
  if (options.inputs.size() > 1) {
    return Fail(absl::InvalidArgumentError(absl::StrCat(start.service(), "/", start.method(),
                                                        " takes one message; you gave ", options.inputs.size(), ".")),
                kUsage);
  }
  absl::StatusOr<std::string> json = options.inputs.empty() ? "{}" : ReadWhole(options.inputs.front());
  if (!json.ok()) return Fail(json.status(), kUsage);
  if (!method.server_streaming()) return CallUnary(client, settings, start, *std::move(json));
  return RunStreamedCall(client, settings, std::move(start), InputStream::OfMessage(*std::move(json)));
}

int CallWithMessages(Client& client, const Settings& settings, dev::v1::CallStart start, const CallOptions& options) {
  absl::StatusOr<InputStream> input = InputStream::Open(options.inputs);
  if (!input.ok()) return Fail(input.status(), kUsage);
  if (options.inputs.empty() && isatty(STDIN_FILENO) == 1) {
    PrintError("Type the messages as JSON, one in each line. Ctrl-D ends them, Ctrl-C cancels the call.");
  }
  return RunStreamedCall(client, settings, std::move(start), *std::move(input));
}

int Run(const Settings& settings, const CallOptions& options) {
  absl::StatusOr<dev::v1::CallStart> start = MakeStart(options);
  if (!start.ok()) return Fail(start.status(), kUsage);
  absl::StatusOr<std::unique_ptr<Client>> client = Client::ConnectToAny(settings);
  if (!client.ok()) return Fail(client.status(), kNotFound);
  absl::StatusOr<dev::v1::ListServicesResponse> services =
      (*client)->Call(&Client::Stub::ListServices, dev::v1::ListServicesRequest());
  if (!services.ok()) return Fail(services.status());
  absl::StatusOr<testing::MethodReference> found = testing::FindMethod(*services, options.method);
  if (!found.ok()) return Fail(found.status());
  start->set_service(found->service->name());
  start->set_method(found->method->name());
  if (found->method->client_streaming()) return CallWithMessages(**client, settings, *std::move(start), options);
  return CallWithOneMessage(**client, settings, *std::move(start), options, *found->method);
}

}  // namespace

void AddCall(CLI::App& root, Invocation& invocation) {
  auto options = std::make_shared<CallOptions>();
  CLI::App* command =
      Command(root, "call", "Call a method of the user function with JSON",
              "  cloudstate-dev call ShoppingCart/GetCart '{\"userId\": \"me\"}'\n"
              "  cloudstate-dev call com.example.shoppingcart.ShoppingCart/AddItem @item.json\n"
              "  cloudstate-dev call ShoppingCart.GetCart '{\"userId\": \"me\"}' --deadline 2s -H 'x-user: me'\n"
              "  cloudstate-dev call Chat.Talk '{\"text\": \"hello\"}' '{\"text\": \"bye\"}'\n"
              "  tail -f orders.jsonl | cloudstate-dev call Orders.Import      a message for each line");
  command->group(kUseGroup);
  command->add_option("METHOD", options->method, "SERVICE/METHOD; the service's last name is enough if only one has it")
      ->required();
  command->add_option(
      "JSON", options->inputs,
      "The input message ({} if none is given); - reads standard input, @FILE a file. For a method that "
      "takes a stream: any number of messages; - and @FILE have one in each line, and standard input "
      "is read if nothing is given. Answers are printed as they come; Ctrl-C cancels");
  command
      ->add_option("-H,--header", options->headers, "A request header; the value of a -bin one in base64; repeatable")
      ->type_name("NAME:VALUE")
      ->type_size(1)
      ->allow_extra_args(false);
  command->add_option("--deadline", options->deadline, "How long the call may take, such as 5s")->type_name("TIME");
  AddNode(*command, "--node", options->node,
          "The node that takes the call, whether it can or not; without it they take turns");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return Run(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
