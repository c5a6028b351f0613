#include "emulator/routing/client_call.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/planted_bug.h"
#include "emulator/entities/any_payload.h"

namespace cloudstate::routing {
namespace {

constexpr std::size_t kMostUnsent = 16;  // messages that a slow client has not taken, before the producer waits
constexpr char kClientGone[] = "the client has gone";

}  // namespace

std::shared_ptr<ClientCall> ClientCall::Make(base::Strand& strand, cluster::NodeStrand* destination,
                                             trace::Recorder& recorder, const Report& report,
                                             std::shared_ptr<serving::Responder> responder) {
  serving::Responder& answers = *responder;
  auto call = std::make_shared<ClientCall>(strand, destination, recorder, report, std::move(responder));
  answers.OnCancel([&strand, waiting = std::weak_ptr(call)] {
    strand.Post([waiting] {
      if (auto cancelled = waiting.lock()) cancelled->OnClientGone();
    });
  });
  return call;
}

ClientCall::ClientCall(base::Strand& strand, cluster::NodeStrand* destination, trace::Recorder& recorder,
                       const Report& report, std::shared_ptr<serving::Responder> responder)
    : strand_(strand),
      destination_(destination),
      recorder_(recorder),
      report_(report),
      responder_(std::move(responder)) {}

ClientCall::~ClientCall() {
  Leave();
  strand().Cancel(timer_);
  // Whatever has become of it, its client is not left waiting.
  if (responder_ != nullptr && !IsPlanted(base::PlantedBug::kCallForgotten)) {
    responder_->Finish(absl::UnavailableError("the node that took the call has gone"));
  }
  if (trace_ != nullptr) recorder_.End(std::move(trace_));
}

void ClientCall::Begin(serving::Call& request) {
  if (trace_ != nullptr) return;
  trace_ = recorder_.Begin(strand_.Now(), strand().WallTime());
  trace_->service = request.service;
  trace_->method = request.method;
  trace_->protocol = std::string(request.protocol);
  trace_->peer = std::move(request.peer);
  Trace(trace::StepKind::kReceived, trace::kClientsCommand,
        request.requests != nullptr ? "a stream" : absl::StrCat(request.payload.size(), " bytes"));
}

void ClientCall::Enter(std::string node_name, std::shared_ptr<const userfunction::Specification> specification) {
  trace_->node = std::move(node_name);
  specification_ = std::move(specification);
}

void ClientCall::CountIn(trace::LoadMeter& meter) {
  if (!*abandoned_ && !counted_.running()) counted_.Begin(meter, strand_, strand_.Now());
}

void ClientCall::Leave() {
  counted_.End();
  if (left_) std::exchange(left_, nullptr)();
}

// A node that is paused notices afterwards.
void ClientCall::OnClientGone() {
  if (destination_ == nullptr) return Abandon(absl::CancelledError(kClientGone));
  destination_->Run([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->Abandon(absl::CancelledError(kClientGone));
  });
}

void ClientCall::Limit(absl::Duration time) {
  strand().Cancel(std::exchange(timer_, base::TimerId::kNone));
  deadline_ = strand_.Now() + time;
  if (time == absl::InfiniteDuration() || responder_ == nullptr) return;
  timer_ = strand().After(time, [weak = weak_from_this(), time] {
    auto self = weak.lock();
    if (self == nullptr || self->responder_ == nullptr) return;
    self->End(absl::DeadlineExceededError(absl::StrCat("no reply to ", self->trace_->service, ".", self->trace_->method,
                                                       " within ", absl::FormatDuration(time))));
  });
}

absl::Duration ClientCall::TimeLeft() const { return deadline_ - strand_.Now(); }

void ClientCall::Reply(cloudstate::Reply reply) {
  if (responder_ == nullptr || (messages_ > 0 && !StreamsOut())) return;
  SendHeaders(*responder_, std::move(*reply.mutable_metadata()));
  journal::Payload payload = entities::FromAny(*reply.mutable_payload());
  CheckType(payload.type_url);
  if (++messages_ <= kTracedMessages) Trace(trace::StepKind::kAnswered, trace::kClientsCommand, "", &payload);
  responder_->Message(std::move(payload.value));
}

void ClientCall::End(absl::Status status) {
  if (responder_ == nullptr) return;
  if (status.ok() && !StreamsOut() && messages_ == 0) {
    status = absl::InternalError(
        absl::StrCat(trace_->service, ".", trace_->method, ": the user function answered without a reply"));
  }
  auto responder = std::exchange(responder_, nullptr);
  unlink();
  const base::Task dropped = std::exchange(when_writable_, nullptr);
  strand().Cancel(std::exchange(timer_, base::TimerId::kNone));
  trace_->duration = strand_.Now() - trace_->begin;
  trace_->outcome = status;
  SendHeaders(*responder, Metadata());
  if (!status.ok()) {
    Trace(trace::StepKind::kAnswered, trace::kClientsCommand,
          status.ToString(absl::StatusToStringMode::kWithNoExtraData));
  } else if (StreamsOut()) {
    Trace(trace::StepKind::kAnswered, trace::kClientsCommand, absl::StrCat("the end, after ", messages_, " messages"));
  }
  const absl::Status reason = status;
  responder->Finish(std::move(status));
  Abandon(reason);
}

void ClientCall::WhenReady(base::Task then) {
  if (responder_ == nullptr) return;
  if (responder_->Unsent() < kMostUnsent) {
    std::move(then)();
    return;
  }
  // The responder may let go of its callback on any thread, and what waits owns what belongs to the strand.
  when_writable_ = std::move(then);
  responder_->WhenWritable([&strand = strand(), weak = weak_from_this()] {
    strand.Post([weak] {
      auto self = weak.lock();
      if (self != nullptr && self->when_writable_) std::exchange(self->when_writable_, nullptr)();
    });
  });
}

void ClientCall::Abandon(const absl::Status& reason) {
  *abandoned_ = true;
  Leave();
  for (const std::weak_ptr<Cancellable>& each : std::exchange(running_, {})) {
    if (auto running = each.lock()) running->Cancel(reason);
  }
}

void ClientCall::Attach(std::weak_ptr<Cancellable> running) {
  std::erase_if(running_, [](const auto& each) { return each.expired(); });
  running_.push_back(std::move(running));
}

void ClientCall::Trace(trace::StepKind kind, trace::CommandNumber command, std::string detail,
                       const journal::Payload* payload) {
  trace_->Add(strand_.Now(), kind, command, std::move(detail), payload);
}

// Those of the first reply. gRPC clients are spared the trace's id.
void ClientCall::SendHeaders(serving::Responder& responder, Metadata headers) {
  if (std::exchange(headers_sent_, true)) return;
  if (trace_->protocol != "grpc") {
    MetadataEntry& entry = *headers.add_entries();
    entry.set_key(serving::kTraceHeader);
    entry.set_string_value(trace_->id);
  }
  if (headers.entries_size() > 0) responder.Headers(headers);
}

void ClientCall::CheckType(const std::string& type_url) {
  if (type_url == method_->output_type_url || std::exchange(warned_, true)) return;
  report_(absl::StrCat(trace_->service, ".", trace_->method, ": Expected reply type_url to be [",
                       method_->output_type_url, "] but was [", type_url, "]."));
}

}  // namespace cloudstate::routing
