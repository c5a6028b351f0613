#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "emulator/cluster/node.h"
#include "emulator/routing/answer_sequence.h"
#include "emulator/routing/target.h"
#include "emulator/serving/backend.h"
#include "emulator/trace/trace.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::routing {

class Activator;

// Whether entities see the client's headers. Actions always do; the published proxy keeps them from entities, and
// conformance kits compare that.
enum class EntityMetadata { kWithhold, kPass };

// Brings each call that clients make at one node to its entity or action and the outcome back, by way of whatever side
// effects and forwards the user function asks for. Calls come from any thread and are handled on the node's strand. It
// stays over all lives of the node: the end of one ends the calls that are open.
class Router final : public serving::Backend {
 public:
  struct Options {
    // One command from end to end, with the time that the activator held it. Of what a client streams in, from its last
    // message; not for streamed answers.
    absl::Duration relay_timeout = absl::Seconds(60);
    EntityMetadata entity_metadata = EntityMetadata::kWithhold;
    std::size_t max_forwards = 64;  // a longer chain is cut
  };

  // On `strand`, which the nodes share, before the node's first life.
  Router(Options options, base::Strand& strand, cluster::Node& node, trace::Recorder& recorder,
         ClientCall::Report report_error);
  ~Router() override;

  // On the strand. From now on these services are called; those known before are forgotten.
  void Serve(std::shared_ptr<const userfunction::Specification> specification);
  // On the strand. Calls fail with `reason` (UNAVAILABLE); the services stay known.
  void Suspend(absl::Status reason);
  // On the strand, once. From now on calls that any node may take go to the activator where this one cannot take them,
  // and it hears whenever this node may take more or fewer than before.
  void ReturnTo(std::shared_ptr<Activator> activator);

  std::shared_ptr<const serving::Services> CurrentServices() const override;
  // OK while there are both a user function and a node in the state to serve.
  absl::Status Availability() const override;
  void Start(serving::Call call, std::shared_ptr<serving::Responder> responder) override;
  // The same of a call that any node may take.
  void StartAnywhere(serving::Call call, std::shared_ptr<serving::Responder> responder);
  // On the strand: the activator gives a call to this node, and it counts as one of the node's at once.
  void Take(const std::shared_ptr<ClientCall>& call, serving::Call request);
  // Calls of clients that the node has. On the strand.
  std::int64_t load() const { return node_.load().requests.open(); }

 private:
  // Who may take a call.
  enum class For { kThisNode, kAnyNode };
  struct Published;
  // A service and a method of it as they are declared; null where there are none.
  struct Found {
    const userfunction::ServiceSpec* service = nullptr;
    const userfunction::MethodSpec* method = nullptr;
  };
  using Effects = google::protobuf::RepeatedPtrField<SideEffect>;

  void Post(serving::Call request, std::shared_ptr<serving::Responder> responder, For who);
  void Accept(const std::shared_ptr<ClientCall>& call, serving::Call request, For who);
  void CountIn(ClientCall& call);
  void Publish();
  void EndAll(const absl::Status& reason);
  absl::Duration TimeLimit(const Found& found, std::optional<absl::Time> deadline, absl::Duration held) const;

  static Found Find(const Target& target);
  void Invoke(Target target, std::shared_ptr<Outlet> outlet);
  void RefuseUnknown(const Target& target, const Found& found, Outlet& outlet);
  void InvokeEntity(Target target, const Found& found, std::shared_ptr<Outlet> outlet);
  void InvokeCrdt(Target target, const Found& found, std::shared_ptr<Outlet> outlet);
  void InvokeAction(Target target, const Found& found, std::shared_ptr<Outlet> outlet);
  template <typename Command>
  void Fill(Command& command, Target& target) const;
  static AnswerSequence::Takes Takes(const Target& target, const Found& found);
  void Attach(const Target& target, const std::shared_ptr<Cancellable>& run);

  void Perform(const std::shared_ptr<const Target>& target, ClientAction action, Effects effects,
               std::shared_ptr<Outlet> outlet);
  void RunEffects(std::shared_ptr<const Target> target, std::shared_ptr<Effects> effects, int next, base::Task then);
  void Act(const Target& target, ClientAction action, std::shared_ptr<Outlet> outlet);

  const Options options_;
  base::Strand& shared_;
  cluster::Node& node_;
  cluster::NodeStrand& strand_;
  trace::Recorder& recorder_;
  const ClientCall::Report report_error_;
  const AnswerSequence::Perform perform_;
  std::shared_ptr<const userfunction::Specification> specification_;
  absl::Status suspended_;
  std::shared_ptr<Activator> activator_;  // null: what cannot be taken ends
  OpenCalls open_;
  std::vector<std::weak_ptr<Cancellable>> effects_;  // what runs, of actions and CRDT entities, for no client

  std::unique_ptr<Published> published_;  // what other threads read
};

}  // namespace cloudstate::routing
