#pragma once

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "emulator/cluster/node.h"
#include "emulator/entities/entity.h"
#include "emulator/serving/backend.h"
#include "emulator/trace/trace.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::routing {

// Whether entities see the client's headers. The published proxy keeps them from entities; conformance kits compare
// that.
enum class EntityMetadata { kWithhold, kPass };

// Brings each client's call to its entity and the outcome back, by way of whatever side effects and forwards the user
// function asks for. Calls come from any thread and are handled on the node's strand.
class Router final : public serving::Backend {
 public:
  struct Options {
    absl::Duration relay_timeout = absl::Seconds(60);  // one call from end to end
    EntityMetadata entity_metadata = EntityMetadata::kWithhold;
    std::size_t max_forwards = 64;  // a longer chain is cut
  };

  Router(Options options, base::Strand& strand, cluster::Node& node, trace::Recorder& recorder,
         absl::AnyInvocable<void(const std::string&)> report_error);
  ~Router() override;

  // On the strand. From now on these services are called; those known before are forgotten.
  void Serve(std::shared_ptr<const userfunction::Specification> specification);
  // On the strand. Calls fail with `reason` (UNAVAILABLE); the services stay known.
  void Suspend(absl::Status reason);

  std::shared_ptr<const serving::Services> CurrentServices() const override;
  absl::Status Availability() const override;
  void Start(serving::Call call, std::shared_ptr<serving::Responder> responder) override;

 private:
  struct ClientCall;
  struct Origin;
  struct Target;
  struct Published;
  using Outcome = absl::StatusOr<cloudstate::Reply>;
  using Done = absl::AnyInvocable<void(Outcome)>;
  using Effects = google::protobuf::RepeatedPtrField<SideEffect>;

  void Accept(const std::shared_ptr<ClientCall>& call, serving::Call request);
  void Answer(ClientCall& call, Outcome outcome);
  void WarnOfReplyType(const ClientCall& call, const std::string& type_url);

  void Invoke(Target target, Done done);
  void RunEffects(std::shared_ptr<const Target> target, std::shared_ptr<Effects> effects, int next, base::Task then);
  void Act(const Target& target, ClientAction action, Done done);

  const Options options_;
  base::Strand& strand_;
  cluster::Node& node_;
  trace::Recorder& recorder_;
  absl::AnyInvocable<void(const std::string&)> report_error_;
  std::shared_ptr<const userfunction::Specification> specification_;
  absl::Status suspended_;

  std::unique_ptr<Published> published_;  // what other threads read
};

}  // namespace cloudstate::routing
