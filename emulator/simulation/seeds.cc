#include "emulator/simulation/seeds.h"

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

namespace cloudstate::simulation {

void SimulateSeeds(const dev::v1::Scenario& scenario, SeedRange seeds, int threads,
                   const std::function<bool(const Outcome&)>& played) {
  if (seeds.first > seeds.last) return;
  const std::uint64_t most = seeds.last - seeds.first;  // one less than there are: all of them do not fit in 64 bits
  std::atomic<std::uint64_t> next = 0;
  std::atomic<bool> stopped = false;
  std::mutex mutex;
  const auto play = [&] {
    while (!stopped) {
      const std::uint64_t index = next.fetch_add(1);
      if (index > most) return;
      const Outcome outcome = Simulate(scenario, seeds.first + index);
      const std::lock_guard lock(mutex);
      if (stopped) return;
      if (!played(outcome)) stopped = true;
    }
  };
  std::vector<std::jthread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(play);
  play();
}

}  // namespace cloudstate::simulation
