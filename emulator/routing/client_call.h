#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "boost/intrusive/list.hpp"
#include "emulator/routing/outlet.h"
#include "emulator/serving/backend.h"
#include "emulator/trace/trace.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::routing {

// How many messages of a stream a trace shows, each way; the others are counted.
inline constexpr std::uint64_t kTracedMessages = 16;

// Something that a client's call has under way at the user function.
class Cancellable {
 public:
  virtual ~Cancellable() = default;
  // `reason` is OK where the client has its answer and can take no more.
  virtual void Cancel(const absl::Status& reason) = 0;
};

// One client's call, alive until the last thing that it set off has ended; then its trace is whole. On the strand. It
// is in its router's list of open calls until it is answered.
class ClientCall final
    : public Outlet,
      public std::enable_shared_from_this<ClientCall>,
      public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  using Report = std::function<void(const std::string&)>;

  ClientCall(base::Strand& strand, trace::Recorder& recorder, const Report& report,
             std::shared_ptr<serving::Responder> responder);
  ~ClientCall() override;
  ClientCall(const ClientCall&) = delete;
  ClientCall& operator=(const ClientCall&) = delete;

  // The call has reached the strand. What it may call is `specification`, null before there is one.
  void Begin(serving::Call& request, std::shared_ptr<const userfunction::Specification> specification);

  // What is called exists: replies are checked against it.
  void SetMethod(const userfunction::MethodSpec& method) { method_ = &method; }

  // DEADLINE_EXCEEDED after `time`. Replaces the limit before; infinite for none.
  void Limit(absl::Duration time);
  absl::Duration TimeLeft() const;

  void Reply(cloudstate::Reply reply) override;
  void End(absl::Status status) override;
  void WhenReady(base::Task then) override;

  // Nobody waits for the outcome any more; OK as a reason means that the client has it.
  void Abandon(const absl::Status& reason);
  std::shared_ptr<const bool> abandoned() const { return abandoned_; }
  // To be cancelled when the client has no more use for it.
  void Attach(std::weak_ptr<Cancellable> running);

  const std::shared_ptr<trace::Trace>& trace() const { return trace_; }
  void Trace(trace::StepKind kind, trace::CommandNumber command, std::string detail = {},
             const journal::Payload* payload = nullptr);
  const userfunction::Specification& specification() const { return *specification_; }
  bool StreamsOut() const { return method_ != nullptr && method_->descriptor->server_streaming(); }

 private:
  void SendHeaders(serving::Responder& responder, Metadata headers);
  void CheckType(const std::string& type_url);

  base::Strand& strand_;
  trace::Recorder& recorder_;
  const Report& report_;
  std::shared_ptr<serving::Responder> responder_;  // null once answered
  std::shared_ptr<const userfunction::Specification> specification_;
  const userfunction::MethodSpec* method_ = nullptr;  // specification_ keeps it
  std::shared_ptr<trace::Trace> trace_;
  const std::shared_ptr<bool> abandoned_ = std::make_shared<bool>(false);
  std::vector<std::weak_ptr<Cancellable>> running_;
  base::Task when_writable_;  // waits for the client
  base::TimerId timer_ = base::TimerId::kNone;
  absl::Time deadline_ = absl::InfiniteFuture();
  std::uint64_t messages_ = 0;
  bool headers_sent_ = false;
  bool warned_ = false;
};

using OpenCalls = boost::intrusive::list<ClientCall, boost::intrusive::constant_time_size<false>>;

}  // namespace cloudstate::routing
