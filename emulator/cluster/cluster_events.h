#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "emulator/cluster/node_id.h"
#include "emulator/cluster/watchers.h"

namespace cloudstate::cluster {

// Something that a node decided, or that was done to the cluster.
struct ClusterEvent {
  absl::Time time;              // time of day
  NodeId node = NodeId::kNone;  // whose decision; kNone for what came from outside
  absl::string_view kind;       // static text: "steered", "state", "unreachable", "reachable", "shard"
  std::string text;
};

// Keeps the newest and tells those who watch. Lives on one strand.
class ClusterEvents {
 public:
  using Watcher = Watchers<ClusterEvent>::Watcher;

  explicit ClusterEvents(std::size_t capacity = 1000) : capacity_(capacity) {}

  void Add(ClusterEvent event) {
    events_.push_back(event);
    ++told_;
    while (events_.size() > capacity_) events_.pop_front();
    watchers_.Tell(event);
  }
  const std::deque<ClusterEvent>& events() const { return events_; }  // oldest first
  // How many there have been; the last ones of these are kept.
  std::int64_t told() const { return told_; }
  // A watcher may call everything here. What Add says within one, others may be told before the event that caused it.
  std::uint64_t Watch(Watcher watcher) { return watchers_.Watch(std::move(watcher)); }
  void Unwatch(std::uint64_t watch) { watchers_.Unwatch(watch); }

 private:
  const std::size_t capacity_;
  std::int64_t told_ = 0;
  std::deque<ClusterEvent> events_;
  Watchers<ClusterEvent> watchers_;
};

}  // namespace cloudstate::cluster
