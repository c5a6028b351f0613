#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "boost/intrusive/list.hpp"
#include "emulator/cluster/node_strand.h"
#include "emulator/routing/outlet.h"
#include "emulator/serving/backend.h"
#include "emulator/trace/load_meter.h"
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
// is in its router's list of open calls until it is answered, and may go from node to node until one has taken it.
class ClientCall final
    : public Outlet,
      public std::enable_shared_from_this<ClientCall>,
      public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  using Report = std::function<void(const std::string&)>;

  // Where the call comes in, on any thread; hears from then on when its client goes. `strand` is the one that the nodes
  // share, `destination` that of the node which it is on its way to, or null.
  static std::shared_ptr<ClientCall> Make(base::Strand& strand, cluster::NodeStrand* destination,
                                          trace::Recorder& recorder, const Report& report,
                                          std::shared_ptr<serving::Responder> responder);
  ClientCall(base::Strand& strand, cluster::NodeStrand* destination, trace::Recorder& recorder, const Report& report,
             std::shared_ptr<serving::Responder> responder);
  ~ClientCall() override;
  ClientCall(const ClientCall&) = delete;
  ClientCall& operator=(const ClientCall&) = delete;

  // The call has reached the strand. The first time counts.
  void Begin(serving::Call& request);
  // It is on its way to another node; null for none yet.
  void MoveTo(cluster::NodeStrand* destination) { destination_ = destination; }
  // A node takes it. What it may call is `specification`, null before there is one.
  void Enter(std::string node_name, std::shared_ptr<const userfunction::Specification> specification);

  // Counts it from now on, unless it is counted already, until it leaves: it is answered, its client or it itself has
  // gone.
  void CountIn(trace::LoadMeter& meter);
  // Runs once, when it leaves. Replaces the task before; empty for none.
  void WhenLeft(base::Task left) { left_ = std::move(left); }
  // Its node has not taken it after all.
  void Leave();

  // What is called exists: replies are checked against it.
  void SetMethod(const userfunction::MethodSpec& method) { method_ = &method; }

  // DEADLINE_EXCEEDED after `time`. Replaces the limit before; infinite for none.
  void Limit(absl::Duration time);
  absl::Duration TimeLeft() const;

  // How long the activator has held it.
  absl::Duration held() const { return held_; }
  void AddHeld(absl::Duration time) { held_ += time; }

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
  base::Strand& strand() const { return destination_ == nullptr ? strand_ : *destination_; }
  void OnClientGone();
  void SendHeaders(serving::Responder& responder, Metadata headers);
  void CheckType(const std::string& type_url);

  base::Strand& strand_;
  cluster::NodeStrand* destination_;
  trace::Recorder& recorder_;
  const Report& report_;
  std::shared_ptr<serving::Responder> responder_;  // null once answered
  std::shared_ptr<const userfunction::Specification> specification_;
  const userfunction::MethodSpec* method_ = nullptr;  // specification_ keeps it
  std::shared_ptr<trace::Trace> trace_;
  const std::shared_ptr<bool> abandoned_ = std::make_shared<bool>(false);
  std::vector<std::weak_ptr<Cancellable>> running_;
  trace::Metered counted_;
  base::Task left_;
  base::Task when_writable_;  // waits for the client
  base::TimerId timer_ = base::TimerId::kNone;
  absl::Time deadline_ = absl::InfiniteFuture();
  absl::Duration held_;
  std::uint64_t messages_ = 0;
  bool headers_sent_ = false;
  bool warned_ = false;
};

using OpenCalls = boost::intrusive::list<ClientCall, boost::intrusive::constant_time_size<false>>;

}  // namespace cloudstate::routing
