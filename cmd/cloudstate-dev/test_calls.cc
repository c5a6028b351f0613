#include "cmd/cloudstate-dev/test_calls.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/support/byte_buffer.h"

namespace cloudstate::cli {
namespace {

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

std::string FromBuffer(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

absl::Status AddHeaders(const std::map<std::string, std::string>& headers, grpc::ClientContext& context) {
  for (const auto& [name, value] : headers) {
    // gRPC ends the process at one that it can't send.
    if (absl::Status status = CheckHeader(name, value); !status.ok()) return status;
    std::string bytes;
    const bool binary = absl::EndsWith(name, "-bin") && absl::Base64Unescape(value, &bytes);
    context.AddMetadata(name, binary ? bytes : value);
  }
  return absl::OkStatus();
}

void TakeHeaders(const std::multimap<grpc::string_ref, grpc::string_ref>& from,
                 std::map<std::string, std::string>& to) {
  for (const auto& [name, value] : from) {
    const std::string key(name.data(), name.size());
    const std::string text(value.data(), value.size());
    to[key] = absl::EndsWith(key, "-bin") ? absl::Base64Escape(text) : text;
  }
}

// One operation of a call after the other, each waited for.
class Operations {
 public:
  ~Operations() {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  grpc::CompletionQueue& queue() { return queue_; }
  // That of the operation that was started last; false where it came to nothing.
  bool Wait() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }
  void* tag() { return this; }

 private:
  grpc::CompletionQueue queue_;
};

}  // namespace

absl::Status CheckHeader(const std::string& name, const std::string& value) {
  const auto in_name = [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '.' || c == '_' || c == '-';
  };
  if (name.empty() || !std::all_of(name.begin(), name.end(), in_name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", name, "' is no name of a header: it takes letters, digits, '.', '_' and '-'"));
  }
  std::string bytes;
  if (absl::EndsWith(name, "-bin") && !absl::Base64Unescape(value, &bytes)) {
    return absl::InvalidArgumentError(absl::StrCat("the header '", name, "' takes base64, not '", value, "'"));
  }
  const auto in_value = [](unsigned char c) { return absl::ascii_isprint(c); };
  if (std::all_of(value.begin(), value.end(), in_value)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the header '", name, "' takes printable ASCII only; other bytes go into a '", name, "-bin'"));
}

std::shared_ptr<grpc::Channel> TestChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // Each emulator has connections of its own, which end with it.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

absl::StatusOr<TestCalls::Answer> TestCalls::Run(const Call& call) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(call.deadline));
  if (absl::Status status = AddHeaders(call.headers, context); !status.ok()) return status;
  const CallEnd::Guard guard(end_, context);
  Operations operations;
  const auto stream = stub_.PrepareCall(&context, call.path, &operations.queue());
  stream->StartCall(operations.tag());
  bool open = operations.Wait();
  for (std::size_t i = 0; i < call.inputs.size() && open; ++i) {
    grpc::WriteOptions options;
    if (i + 1 == call.inputs.size()) options.set_last_message();
    stream->Write(ToBuffer(call.inputs[i]), options, operations.tag());
    open = operations.Wait();
  }
  if (open && call.inputs.empty()) {
    stream->WritesDone(operations.tag());
    open = operations.Wait();
  }
  Answer answer;
  grpc::ByteBuffer reply;
  for (stream->Read(&reply, operations.tag()); operations.Wait(); stream->Read(&reply, operations.tag())) {
    answer.replies.push_back(FromBuffer(reply));
  }
  grpc::Status status;
  stream->Finish(&status, operations.tag());
  operations.Wait();
  answer.code = static_cast<int>(status.error_code());
  answer.message = status.error_message();
  TakeHeaders(context.GetServerInitialMetadata(), answer.headers);
  TakeHeaders(context.GetServerTrailingMetadata(), answer.headers);
  return answer;
}

}  // namespace cloudstate::cli
