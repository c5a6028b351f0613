#include "emulator/cluster/cluster_events.h"

#include <utility>
#include <vector>

namespace cloudstate::cluster {

void ClusterEvents::Add(ClusterEvent event) {
  events_.push_back(event);
  while (events_.size() > capacity_) events_.pop_front();
  // Watchers may add, watch and unwatch, themselves included.
  const std::vector<std::pair<std::uint64_t, std::shared_ptr<Watcher>>> watchers(watchers_.begin(), watchers_.end());
  for (const auto& [watch, watcher] : watchers) {
    if (watchers_.contains(watch)) (*watcher)(event);
  }
}

std::uint64_t ClusterEvents::Watch(Watcher watcher) {
  watchers_.emplace(++last_watch_, std::make_shared<Watcher>(std::move(watcher)));
  return last_watch_;
}

}  // namespace cloudstate::cluster
