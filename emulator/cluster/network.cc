#include "emulator/cluster/network.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "emulator/base/chance.h"

namespace cloudstate::cluster {

namespace {

// A slow link that queued for longer would still be busy long after it was healed.
constexpr absl::Duration kLongestQueue = absl::Seconds(1);

}  // namespace

void Network::Attach(NodeId node, Receive receive) {
  receivers_[node] = std::make_shared<const Receive>(std::move(receive));
}

void Network::Detach(NodeId node) { receivers_.erase(node); }

void Network::Forget() {
  lifetime_.Renew();
  for (auto& [link, state] : states_) {
    state->ForgetQueue();
    state->ordered.clear();
    state->counters.in_flight = 0;
  }
}

void Network::Send(NodeId from, NodeId to, std::string bytes) {
  if (from == to) {
    std::fprintf(stderr, "node %s sends to itself over the network\n", ToString(from).c_str());
    std::abort();
  }
  State& state = StateOf(from, to);
  ++state.counters.sent;
  state.counters.sent_bytes += bytes.size();
  Tell(from, to, "sent", bytes);
  if (IsCut(from, to)) {
    ++state.counters.lost;
    return Tell(from, to, "cut", bytes);
  }
  // A lost message occupies the link like others, and a repeated one no more: both happen on the way.
  const LinkSettings& settings = SettingsOf(from, to);
  absl::Time departure = strand_.Now();
  if (settings.bytes_per_second > 0 && state.free_at - departure > kLongestQueue) {
    ++state.counters.lost;
    return Tell(from, to, "lost", bytes);
  }
  if (settings.bytes_per_second > 0) {
    departure = std::max(departure, state.free_at) +
                absl::Seconds(1) * static_cast<std::int64_t>(bytes.size()) / settings.bytes_per_second;
    state.free_at = departure;
  }
  if (base::Happens(random_, settings.loss)) {
    ++state.counters.lost;
    return Tell(from, to, "lost", bytes);
  }
  if (base::Happens(random_, settings.duplicate)) {
    ++state.counters.duplicated;
    Tell(from, to, "duplicated", bytes);
    Carry(from, to, state, settings, departure, bytes);
  }
  Carry(from, to, state, settings, departure, std::move(bytes));
}

void Network::Carry(NodeId from, NodeId to, State& state, const LinkSettings& settings, absl::Time departure,
                    std::string bytes) {
  ++state.counters.in_flight;
  const bool strays = base::Happens(random_, settings.reorder);
  const absl::Duration latency = settings.latency.Draw(random_);
  const absl::Time arrival = departure + latency;
  if (strays) {
    const absl::Duration detour = base::Uniform(random_) * (latency + absl::Milliseconds(1));
    return At(arrival + detour, lifetime_.Guard([this, from, to, &state, bytes = std::move(bytes)]() mutable {
      Arrive(from, to, state, std::move(bytes));
    }));
  }
  state.last_arrival = std::max(state.last_arrival, arrival);
  // Each arrival takes the first, so that the order holds whichever of two timers of one instant runs first.
  state.ordered.push_back(std::move(bytes));
  At(state.last_arrival, lifetime_.Guard([this, from, to, &state] {
    std::string first = std::move(state.ordered.front());
    state.ordered.pop_front();
    Arrive(from, to, state, std::move(first));
  }));
}

void Network::Arrive(NodeId from, NodeId to, State& state, std::string bytes) {
  --state.counters.in_flight;
  const auto found = receivers_.find(to);
  if (found == receivers_.end()) return Tell(from, to, "unreceived", bytes);
  ++state.counters.delivered;
  Tell(from, to, "delivered", bytes);
  const std::shared_ptr<const Receive> receive = found->second;
  (*receive)(std::move(bytes));
}

void Network::At(absl::Time time, base::Task task) {
  const absl::Duration delay = time - strand_.Now();
  if (delay <= absl::ZeroDuration()) {
    strand_.Post(std::move(task));
  } else {
    strand_.After(delay, std::move(task));
  }
}

Network::State& Network::StateOf(NodeId from, NodeId to) {
  std::unique_ptr<State>& state = states_[{from, to}];
  if (state == nullptr) state = std::make_unique<State>();
  return *state;
}

const LinkSettings& Network::SettingsOf(NodeId from, NodeId to) const {
  if (links_.empty()) return default_;
  const auto found = links_.find({from, to});
  return found == links_.end() ? default_ : found->second;
}

void Network::SetDefault(const LinkSettings& settings) {
  default_ = settings;
  for (auto& [link, state] : states_) state->ForgetQueue();
}

void Network::Set(NodeId from, NodeId to, const LinkSettings& settings) {
  links_[{from, to}] = settings;
  StateOf(from, to).ForgetQueue();
}

void Network::Cut(NodeId from, NodeId to) { cuts_.insert({from, to}); }

void Network::Partition(std::vector<std::set<NodeId>> groups) {
  partition_ = std::move(groups);
  groups_.clear();
  for (std::size_t i = 0; i < partition_.size(); ++i) {
    for (NodeId node : partition_[i]) groups_.emplace(node, i + 1);
  }
}

bool Network::IsCut(NodeId from, NodeId to) const {
  if (!cuts_.empty() && cuts_.contains({from, to})) return true;
  if (groups_.empty()) return false;
  const auto group_of = [this](NodeId node) {
    const auto found = groups_.find(node);
    return found == groups_.end() ? 0 : found->second;
  };
  return group_of(from) != group_of(to);
}

void Network::Heal() {
  cuts_.clear();
  links_.clear();
  Partition({});
  for (auto& [link, state] : states_) state->ForgetQueue();
}

LinkCounters Network::CountersOf(NodeId from, NodeId to) const {
  const auto found = states_.find({from, to});
  return found == states_.end() ? LinkCounters() : found->second->counters;
}

}  // namespace cloudstate::cluster
