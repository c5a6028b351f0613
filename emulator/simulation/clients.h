#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cloudstate/dev/v1/scenario.pb.h"
#include "emulator/base/random.h"
#include "emulator/base/strand.h"
#include "emulator/serving/backend.h"
#include "emulator/simulation/history.h"
#include "emulator/simulation/shared_calls.h"
#include "emulator/simulation/violation.h"

namespace cloudstate::simulation {

// The clients of a simulation: each has at most one call open, waits for its end, until a moment after its deadline,
// and notes down what it saw. Writes and reads go to simulation.Log and simulation.Register, directly, forwarded by
// simulation.Relay, or with a synchronous side effect on another entity, in the shares of the load; so do calls to the
// CRDT entities of simulation.Shared (shared_calls.h). On the strand.
//
// A side effect is an operation of its own. Its client never learns what became of it: an effect that fails does not
// fail the command. So its outcome is kUnknown, but where the command surely had no effect, and so never led to it.
class Clients {
 public:
  // `backend` takes the calls; the header x-cloudstate-node picks a node where the load does. `trace`, if set, gets a
  // line for each beginning and end. `excused`, if set, tells whether the emulator may owe an answer to a call that was
  // begun then. `look` is for calls to CRDT entities.
  Clients(
      base::Strand& strand, base::Random& random, serving::Backend& backend,
      std::function<void(const std::string&)> trace, std::function<bool(absl::Time begun)> excused = nullptr,
      SharedCalls::Look look = [](std::uint32_t) { return std::nullopt; });
  ~Clients();

  // Replaces what they do from now on. A rate of 0 stops them; where other fields are unset, their defaults hold.
  void SetLoad(const dev::v1::Load& load);
  // One read outside of the load, at `node` (0 for any), by the deadline; `done` gets the call's status, from a task.
  // Noted down as well, as that of client 0. Of one entity after the other.
  void Probe(std::uint32_t node, absl::Duration deadline, std::function<void(absl::Status)> done);
  // The same, of this entity.
  void Probe(const base::EntityKey& entity, std::uint32_t node, absl::Duration deadline,
             std::function<void(absl::Status)> done);

  const std::vector<Operation>& operations() const { return operations_; }
  // Those of CRDT entities are among the operations.
  const SharedCalls& shared_calls() const { return shared_calls_; }
  // Probes included.
  std::size_t open_calls() const { return open_; }
  // Of what the emulator owes its clients: "open-call" where it lets a call's deadline pass without an answer, and
  // "answered-twice". At most 20 of each.
  const std::vector<Violation>& violations() const { return complaints_->violations; }

 private:
  class Attempt;
  class Handle;
  struct Complaints {
    std::vector<Violation> violations;
    std::map<std::string, int> found = {};

    void Add(const std::string& invariant, std::string text);
  };
  struct Client {
    base::TimerId thinking = base::TimerId::kNone;
    std::shared_ptr<Attempt> open;
  };
  enum class Service { kEventSourced, kValue };

  // What a call is to be, with its operations noted down.
  struct Plan {
    serving::Call call;
    std::size_t operation = 0;  // its index; that of an effect is the next
    bool has_effect = false;
    std::optional<std::size_t> shared = std::nullopt;  // its place among those of CRDT entities
    absl::Duration stay = absl::InfiniteDuration();    // the client of a streamed one goes away then
  };

  void Think(std::uint32_t client);
  // In a load with phases, of times that come at the highest rate some are left out.
  bool LeavesOut();
  void Act(std::uint32_t client);
  Plan Choose(std::uint32_t client);
  Plan Read(std::uint32_t client, std::uint32_t node, const base::EntityKey& entity);
  Plan Write(std::uint32_t client, Service service, std::uint64_t entity);
  Plan WriteWithEffect(std::uint32_t client, std::uint64_t entity, std::uint64_t other);
  Plan Relay(std::uint32_t client, Service service, std::uint64_t entity);
  Plan Share(std::uint32_t client, SharedCalls::Choice choice);
  Operation& Note(Operation::Kind kind, std::uint32_t client, std::uint32_t node, const base::EntityKey& entity);
  static base::EntityKey KeyOf(Service service, std::uint64_t entity);
  std::uint64_t DrawEntity();

  // "write 7 of simulation.Log|e1".
  static std::string Describe(const Operation& operation);
  void Start(std::uint32_t client, std::uint32_t node, absl::Duration deadline, Plan plan,
             std::function<void(absl::Status)> done);
  void Ended(Attempt& attempt, const absl::Status& status);
  void Dropped(Attempt& attempt);
  // Its client may make the next call.
  void Free(const Attempt& attempt);

  base::Strand& strand_;
  base::Random& random_;
  serving::Backend& backend_;
  const std::function<void(const std::string&)> trace_;
  const std::function<bool(absl::Time)> excused_;
  const std::shared_ptr<Complaints> complaints_ = std::make_shared<Complaints>();  // shared with all attempts
  dev::v1::Load load_;
  absl::Duration deadline_;
  absl::Time load_began_;
  std::vector<Client> clients_;  // that of number 1 first; those that are no longer wanted at the end
  std::vector<std::shared_ptr<Attempt>> probes_;
  std::uint64_t next_probe_ = 0;
  std::uint64_t last_id_ = 0;
  std::vector<Operation> operations_;
  SharedCalls shared_calls_;
  std::size_t open_ = 0;
};

}  // namespace cloudstate::simulation
