#include "cmd/cloudstate-dev/streamed_call.h"

#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/call_timeout.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/payload_text.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/base/wake_event.h"

namespace cloudstate::cli {
namespace {

using dev::v1::CallStreamRequest;
using dev::v1::CallStreamResponse;

using Stream = grpc::ClientReaderWriter<CallStreamRequest, CallStreamResponse>;

// Until the input or the call ends.
absl::Status SendAll(Stream& stream, dev::v1::CallStart start, InputStream& input, const base::WakeEvent& ended) {
  CallStreamRequest request;
  *request.mutable_start() = std::move(start);
  while (stream.Write(request)) {
    absl::StatusOr<std::optional<InputMessage>> next = input.Next(ended.descriptor());
    if (!next.ok()) return next.status();
    if (!next->has_value()) {
      stream.WritesDone();
      break;
    }
    request.set_json(std::move((*next)->json));
    request.set_label(std::move((*next)->label));
  }
  return absl::OkStatus();
}

int Show(const CallStreamResponse& response, const Settings& settings) {
  if (settings.json) {
    Print(ToJson(response) + "\n");
  } else if (response.has_json()) {
    Print(response.json() + "\n");
  }
  const int code = response.end().code();
  if (code != 0) PrintError(absl::StrCat(CodeName(code), ": ", Printable(response.end().message())));
  return code;
}

CallStreamResponse EndOf(const CallTimeout& timeout) {
  CallStreamResponse response;
  response.mutable_end()->set_code(static_cast<int>(absl::StatusCode::kDeadlineExceeded));
  response.mutable_end()->set_message(timeout.Message());
  *response.mutable_end()->mutable_duration() = timeout.Passed();
  return response;
}

}  // namespace

int RunStreamedCall(Client& client, const Settings& settings, dev::v1::CallStart start, InputStream input) {
  const CallTimeout timeout(start);
  grpc::ClientContext context;
  timeout.Limit(context);
  const std::unique_ptr<Stream> stream = client.stub().CallStream(&context);
  const base::WakeEvent ended;  // nobody is left to send the input to
  absl::Status sent;
  std::thread sender([&] {
    sent = SendAll(*stream, std::move(start), input, ended);
    if (!sent.ok()) context.TryCancel();
  });
  int code = 0;
  for (CallStreamResponse response; stream->Read(&response);) code = Show(response, settings);
  ended.Set();
  sender.join();
  const grpc::Status status = stream->Finish();
  if (!sent.ok()) return Fail(sent);
  if (timeout.Ended(status)) {
    code = Show(EndOf(timeout), settings);
  } else if (!status.ok()) {
    return Fail(client.Failure(status));
  }
  return code == 0 ? kOk : kFailed;
}

}  // namespace cloudstate::cli
