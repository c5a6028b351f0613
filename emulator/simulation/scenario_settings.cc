#include "emulator/simulation/scenario_settings.h"

#include <string>

#include "emulator/base/proto_time.h"
#include "emulator/routing/steering.h"

namespace cloudstate::simulation {
namespace {

cluster::Latency LatencyOf(const std::string& text) {
  return text.empty() ? cluster::Latency() : *cluster::Latency::Parse(text);
}

}  // namespace

cluster::LinkSettings LinksOf(const dev::v1::LinkSettings& settings) { return *routing::FromProto(settings); }

JournalFaultSettings FaultsOf(const dev::v1::JournalFaults& faults) {
  JournalFaultSettings result;
  result.write_latency = LatencyOf(faults.write_latency());
  result.read_latency = LatencyOf(faults.read_latency());
  result.write_failures = faults.write_failures();
  result.read_failures = faults.read_failures();
  result.torn_writes = faults.torn_writes();
  return result;
}

UserFunctionBehaviour BehaviourOf(const dev::v1::UserFunctionSettings& settings) {
  UserFunctionBehaviour result;
  result.latency = LatencyOf(settings.latency());
  result.failures = settings.failures();
  result.broken_streams = settings.broken_streams();
  result.hangs = settings.hangs();
  result.snapshot_every = settings.snapshot_every();
  return result;
}

cluster::Node::Options NodeOptionsOf(const dev::v1::ClusterSettings& settings) {
  cluster::Node::Options options;
  cluster::Membership::Options& membership = options.membership;
  if (settings.has_heartbeat_interval())
    membership.heartbeat_interval = base::FromDuration(settings.heartbeat_interval());
  if (settings.phi_threshold() > 0) membership.detector.threshold = settings.phi_threshold();
  if (settings.has_acceptable_pause())
    membership.detector.acceptable_pause = base::FromDuration(settings.acceptable_pause());
  if (settings.has_stable_after()) membership.stable_after = base::FromDuration(settings.stable_after());
  if (settings.has_rebalance_interval()) options.rebalance_interval = base::FromDuration(settings.rebalance_interval());
  entities::Limits& limits = options.entities.limits;
  if (settings.has_passivation_timeout())
    limits.passivation_timeout = base::FromDuration(settings.passivation_timeout());
  if (settings.has_relay_timeout()) limits.relay_timeout = base::FromDuration(settings.relay_timeout());
  if (settings.has_prune_after()) options.replicas.prune_after = base::FromDuration(settings.prune_after());
  return options;
}

routing::Router::Options RouterOptionsOf(const cluster::Node::Options& options) {
  routing::Router::Options result;
  result.relay_timeout = options.entities.limits.relay_timeout;
  return result;
}

}  // namespace cloudstate::simulation
