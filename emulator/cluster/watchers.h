#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace cloudstate::cluster {

// Those who are told of something as it happens. Lives on one strand.
template <class Event>
class Watchers {
 public:
  using Watcher = absl::AnyInvocable<void(const Event&)>;

  // A watcher may call everything here. What is told within one, others may hear of before the event that caused it.
  std::uint64_t Watch(Watcher watcher) {
    watchers_.emplace(++last_watch_, std::make_shared<Watcher>(std::move(watcher)));
    return last_watch_;
  }
  void Unwatch(std::uint64_t watch) { watchers_.erase(watch); }
  bool empty() const { return watchers_.empty(); }

  void Tell(const Event& event) const {
    // They may watch and unwatch, themselves included.
    const std::vector<std::pair<std::uint64_t, std::shared_ptr<Watcher>>> told(watchers_.begin(), watchers_.end());
    for (const auto& [watch, watcher] : told) {
      if (watchers_.contains(watch)) (*watcher)(event);
    }
  }

 private:
  std::map<std::uint64_t, std::shared_ptr<Watcher>> watchers_;  // shared with Tell while it calls them
  std::uint64_t last_watch_ = 0;
};

}  // namespace cloudstate::cluster
