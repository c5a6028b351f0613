#pragma once

#include <memory>
#include <vector>

#include "emulator/base/random.h"
#include "emulator/base/strand.h"
#include "emulator/cluster/latency.h"
#include "emulator/simulation/history.h"
#include "emulator/userfunction/connection.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::simulation {

struct UserFunctionBehaviour {
  cluster::Latency latency = {};  // of each answer
  double failures = 0;            // shares of the commands; what is broken off or never answered has no effect
  double broken_streams = 0;
  double hangs = 0;
  int snapshot_every = 0;  // events; 0 for never
};

// Its services.
inline constexpr char kLog[] = "simulation.Log";
inline constexpr char kRegister[] = "simulation.Register";
inline constexpr char kRelay[] = "simulation.Relay";
inline constexpr char kShared[] = "simulation.Shared";

// The description of the failures in UserFunctionBehaviour.
inline constexpr char kSimulatedFailure[] = "the simulated user function failed this command";

struct UserFunctionCore;  // of the implementation

// The user function of simulations, in this process and in virtual time: the event-sourced service simulation.Log, the
// value service simulation.Register and the action simulation.Relay of ledger.proto, which keep Versions (history.h),
// and the CRDT entities of simulation.Shared. Its streams live on until they end, also when this has gone.
class SimulatedUserFunction {
 public:
  SimulatedUserFunction(base::Strand& strand, base::Random& random, const UserFunctionBehaviour& behaviour);
  ~SimulatedUserFunction();

  std::shared_ptr<userfunction::Connection> connection() const { return connection_; }
  // From now on it answers everything; its latency stays.
  void EndFaults();
  // Entities' streams that wait for an answer that will never come. It takes the emulator's patience to end them.
  int hanging() const;
  // Clients who stay at CRDT entities, as far as it has been told.
  int visits() const;
  // Something that it says of a CRDT entity is on its way.
  bool is_speaking() const;
  // What it was told that breaks the entity protocol, "entity-protocol": events out of their order, commands for other
  // entities, two at once, and the like. At most 20.
  const std::vector<Violation>& violations() const;

  // Made once per process. Any thread, and so is what it returns.
  static std::shared_ptr<const userfunction::Specification> Specification();

 private:
  std::shared_ptr<UserFunctionCore> core_;  // shared with the streams
  std::shared_ptr<userfunction::Connection> connection_;
};

// The write's id in an event of either entity service; 0 in anything else.
std::uint64_t IdOf(const journal::Payload& event);

}  // namespace cloudstate::simulation
