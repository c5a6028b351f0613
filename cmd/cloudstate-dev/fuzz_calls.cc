#include "cmd/cloudstate-dev/fuzz_calls.h"

#include <chrono>
#include <memory>
#include <utility>

#include "cmd/cloudstate-dev/stored_events.h"
#include "emulator/base/proto_time.h"
#include "google/protobuf/util/json_util.h"

namespace cloudstate::cli {

std::string InputJson(const google::protobuf::Value& input) {
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(input, &json).ok()) return "{}";  // nothing was given
  return json;
}

absl::StatusOr<dev::v1::CallResponse> CallOnce(Client& client, const fuzzing::Method& method, const std::string& json,
                                               absl::Duration deadline) {
  dev::v1::CallRequest request;
  request.set_service(method.service);
  request.set_method(method.name);
  request.set_json(json);
  *request.mutable_deadline() = base::ToDuration(deadline);
  auto response = client.Call(&Client::Stub::Call, request);
  if (response.ok() || !absl::IsInvalidArgument(response.status())) return response;
  dev::v1::CallResponse refused;
  refused.set_code(static_cast<int>(response.status().code()));
  refused.set_message(std::string(response.status().message()));
  return refused;
}

absl::StatusOr<dev::v1::CallResponse> CallWithStream(Client& client, const fuzzing::Method& method,
                                                     const std::vector<std::string>& inputs, absl::Duration deadline) {
  constexpr std::chrono::seconds kEmulatorAnswers(10);  // besides the deadline, which is the emulator's
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(deadline) + kEmulatorAnswers);
  const auto stream = client.stub().CallStream(&context);
  dev::v1::CallStreamRequest request;
  request.mutable_start()->set_service(method.service);
  request.mutable_start()->set_method(method.name);
  *request.mutable_start()->mutable_deadline() = base::ToDuration(deadline);
  bool open = stream->Write(request);
  for (const std::string& json : inputs) {
    request.set_json(json);
    open = open && stream->Write(request);
  }
  if (open) stream->WritesDone();
  dev::v1::CallResponse response;
  for (dev::v1::CallStreamResponse message; stream->Read(&message);) {
    if (!message.has_end()) continue;
    response.set_code(message.end().code());
    response.set_message(message.end().message());
  }
  const grpc::Status status = stream->Finish();
  if (status.error_code() == grpc::StatusCode::INVALID_ARGUMENT) {
    response.set_code(static_cast<int>(status.error_code()));
    response.set_message(status.error_message());
    return response;
  }
  if (!status.ok()) return client.Failure(status);
  return response;
}

absl::StatusOr<std::int64_t> LastSequence(Client& client, const base::EntityKey& key) {
  dev::v1::GetEntityRequest request;
  request.set_persistence_id(key.persistence_id);
  request.set_entity_id(key.entity_id);
  auto entity = client.Call(&Client::Stub::GetEntity, request);
  if (absl::IsNotFound(entity.status())) return 0;
  if (!entity.ok()) return entity.status();
  return entity->last_sequence();
}

absl::StatusOr<fuzzing::Outcome> OutcomeOf(Client& client, const std::string& trace_id, const base::EntityKey& key,
                                           const std::string& method, std::int64_t sequence) {
  dev::v1::GetCommandRequest command;
  command.set_trace_id(trace_id);
  auto trace = client.Call(&Client::Stub::GetCommand, command);
  if (!trace.ok()) return trace.status();
  const auto stored = StoredEvents(client, key, sequence + 1);
  if (!stored.ok()) return stored.status();
  std::vector<dev::v1::Payload> events;
  for (const dev::v1::Event& event : *stored) {
    const bool is_its_own = event.cause().trace_id() == trace_id && event.cause().method() == method;
    if (is_its_own) events.push_back(event.payload());
  }
  return fuzzing::OfTrace(*trace, events);
}

absl::Status EvictEntity(Client& client, const std::string& service, const std::string& entity_id) {
  dev::v1::EvictRequest request;
  request.set_service(service);
  request.set_entity_id(entity_id);
  return client.Call(&Client::TestingStub::Evict, request).status();
}

}  // namespace cloudstate::cli
