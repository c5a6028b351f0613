#include "tests/conformance/kinds_world.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/support/http_client.h"

namespace cloudstate::kinds {
namespace {

// What cannot be waited for otherwise is asked for again until it is there.
bool Eventually(const std::function<bool()>& condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

std::string TextOf(const std::string& method, const std::vector<std::string>& messages) {
  std::string text;
  for (const std::string& bytes : messages) absl::StrAppend(&text, ParseReceived(method, bytes).ToString(), "; ");
  return text;
}

}  // namespace

void AnswerWith(ScriptedStream& stream, const Received& received, const Answer& answer) {
  if (stream.method() == UserFunctionPath(Kind::kEvents)) {
    stream.WriteBytes(answer.ForEventSourced(received.number));
  } else if (stream.method() == UserFunctionPath(Kind::kValue)) {
    stream.WriteBytes(answer.ForValue(received.number));
  } else {
    stream.WriteBytes(answer.ForAction());
    if (!absl::EndsWith(stream.method(), "/handleStreamed")) stream.Finish();
  }
}

void BehaveWell(ScriptedStream& stream, const Received& received) {
  if (!received.is_command() || !received.request.has_value()) return;
  if (absl::EndsWith(stream.method(), "/handleStreamedIn")) return;  // answers when the client has said everything
  AnswerWith(stream, received, Answer::Reply("good").Store(received.request->text()));
}

void BehaveWellAtHalfClose(ScriptedStream& stream) {
  if (absl::EndsWith(stream.method(), "/handleStreamedIn")) stream.WriteBytes(Answer::Reply("good").ForAction());
  if (!absl::EndsWith(stream.method(), "/handleUnary") && !absl::EndsWith(stream.method(), "/handleStreamedOut")) {
    stream.Finish();
  }
}

World::World(std::vector<std::string> arguments, EntitySpec specification)
    : specification_(std::move(specification)), behaviour_(std::make_shared<const Behaviour>()) {
  user_function_ = ScriptedUserFunction::Start(Following());
  address_ = user_function_->address();
  arguments.insert(arguments.end(), {"--ephemeral", "--user-function", address_});
  emulator_.emplace(support::EmulatorProcess::Options{std::move(arguments), {}});
  EXPECT_TRUE(emulator_->WaitUntilReady()) << emulator_->process().output() << emulator_->process().errors();
  channel_ = Connect(emulator_->client_address());
  admin_ = dev::v1::Emulator::NewStub(Connect(emulator_->admin_address()));
}

void World::Use(Behaviour behaviour) {
  auto next = std::make_shared<const Behaviour>(std::move(behaviour));
  absl::MutexLock lock(&mutex_);
  behaviour_ = std::move(next);
}

std::shared_ptr<const Behaviour> World::behaviour() {
  absl::MutexLock lock(&mutex_);
  return behaviour_;
}

support::Script World::Following() {
  support::Script script;
  script.spec = specification_;
  script.on_open = [this](ScriptedStream& stream) {
    const auto now = behaviour();
    if (now->on_open) now->on_open(stream);
  };
  script.on_message = [this](ScriptedStream& stream, const std::string& bytes) {
    const auto now = behaviour();
    (now->on_message ? now->on_message : BehaveWell)(stream, ParseReceived(stream.method(), bytes));
  };
  script.on_half_close = [this](ScriptedStream& stream) {
    const auto now = behaviour();
    (now->on_half_close ? now->on_half_close : BehaveWellAtHalfClose)(stream);
  };
  script.on_all_written = [this](ScriptedStream& stream) {
    const auto now = behaviour();
    if (now->on_all_written) now->on_all_written(stream);
  };
  return script;
}

void World::StopUserFunction() { user_function_ = nullptr; }
void World::StartUserFunction() { user_function_ = ScriptedUserFunction::Start(Following(), address_); }

bool World::WaitForWaiting(int commands) {
  return Eventually([&] {
    grpc::ClientContext context;
    dev::v1::Status status;
    EXPECT_TRUE(admin_->GetStatus(&context, {}, &status).ok());
    return status.waiting_commands() == commands;
  });
}

std::int64_t World::LastSequence(Kind kind, const std::string& id) {
  grpc::ClientContext context;
  dev::v1::GetEntityRequest request;
  request.set_persistence_id(PersistenceIdOf(kind));
  request.set_entity_id(id);
  dev::v1::Entity entity;
  const grpc::Status status = admin_->GetEntity(&context, request, &entity);
  EXPECT_TRUE(status.ok() || status.error_code() == grpc::StatusCode::NOT_FOUND) << status.error_message();
  return entity.last_sequence();
}

dev::v1::CommandTrace World::TraceOf(Kind kind, const std::string& id) {
  dev::v1::ListCommandsRequest request;
  request.mutable_filter()->set_service(ServiceOf(kind));
  request.mutable_filter()->set_method(MethodOf(kind));
  const auto about_it = [quoted = absl::StrCat("\"", id, "\"")](const dev::v1::CommandTrace& trace) {
    return std::ranges::any_of(trace.steps(),
                               [&](const auto& step) { return absl::StrContains(step.payload().json(), quoted); });
  };
  dev::v1::CommandTrace found;
  EXPECT_TRUE(Eventually([&] {
    grpc::ClientContext context;
    dev::v1::ListCommandsResponse response;
    EXPECT_TRUE(admin_->ListCommands(&context, request, &response).ok());
    const auto trace = std::ranges::find_if(response.commands(), about_it);
    if (trace == response.commands().end()) return false;
    found = *trace;
    return true;
  }));
  return found;
}

std::size_t World::ResidentMemory() {
  std::ifstream file(absl::StrCat("/proc/", emulator_->process().pid(), "/statm"));
  std::size_t all = 0;
  std::size_t resident = 0;
  file >> all >> resident;
  EXPECT_GT(resident, 0u);
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

// ---- one entity

std::vector<const ScriptedUserFunction::StreamRecord*> EntityView::StreamsIn(const Record& record) const {
  std::vector<const ScriptedUserFunction::StreamRecord*> streams;
  for (const auto& stream : record.streams) {
    if (stream.method != UserFunctionPath(kind_) || stream.received.empty()) continue;
    const Received init = ParseReceived(stream.method, stream.received.front());
    if (init.service == ServiceOf(kind_) && init.entity_id == id_) streams.push_back(&stream);
  }
  return streams;
}

std::vector<std::string> EntityView::ErrorsIn(const Record& record) const {
  std::vector<std::string> errors;
  for (const std::string& error : record.errors) {
    if (absl::StrContains(error, absl::StrCat(PersistenceIdOf(kind_), "|", id_, " of "))) errors.push_back(error);
  }
  return errors;
}

std::vector<std::string> EntityView::Streams() const {
  std::vector<std::string> streams;
  // Looked at in its place: it may be large.
  world_.user_function().WaitUntil([&](const Record& record) {
    for (const auto* stream : StreamsIn(record)) streams.push_back(TextOf(stream->method, stream->received));
    return true;
  });
  return streams;
}

std::vector<std::string> EntityView::Errors() const {
  std::vector<std::string> errors;
  world_.user_function().WaitUntil([&](const Record& record) {
    errors = ErrorsIn(record);
    return true;
  });
  return errors;
}

bool EntityView::WaitForStream(std::size_t number,
                               const std::function<bool(const ScriptedUserFunction::StreamRecord&)>& condition) const {
  return world_.user_function().WaitUntil([&](const Record& record) {
    const auto streams = StreamsIn(record);
    return streams.size() > number && condition(*streams[number]);
  });
}

bool EntityView::WaitFor(std::size_t number, const std::string& messages) const {
  return WaitForStream(
      number, [&](const auto& stream) { return absl::StartsWith(TextOf(stream.method, stream.received), messages); });
}

bool EntityView::WaitForErrors(std::size_t count) const {
  return world_.user_function().WaitUntil([&](const Record& record) { return ErrorsIn(record).size() >= count; });
}

}  // namespace cloudstate::kinds
