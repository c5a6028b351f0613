#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "cloudstate/dev/v1/figures.pb.h"
#include "emulator/base/strand.h"
#include "emulator/cluster/watchers.h"
#include "emulator/trace/latency_histogram.h"
#include "emulator/trace/load_meter.h"
#include "emulator/trace/metrics.h"
#include "emulator/trace/trace.h"

namespace cloudstate::runtime {

// A node as a sample shows it.
struct SampledNode {
  dev::v1::NodeFigures figures;
  const trace::Metrics* metrics = nullptr;
  const trace::NodeLoad* load = nullptr;
};

// Takes the emulator's figures once a second: what the nodes counted since the second before, the calls that ended, and
// what the process used. Keeps the newest samples and tells those who watch. A call costs it an increment or two. Lives
// on one strand.
class Sampler {
 public:
  using Sample = std::shared_ptr<const dev::v1::Sample>;
  static constexpr std::size_t kMostKept = 900;

  struct Sources {
    std::function<std::vector<SampledNode>()> nodes;  // there for as long as its caller needs them
    std::function<trace::ProcessUse()> process = trace::UseOfProcess;
  };

  // Begins at once. Strand and recorder outlive this.
  Sampler(base::Strand& strand, trace::Recorder& recorder, Sources sources);
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  // At most `limit` of the newest, oldest first.
  std::vector<Sample> Newest(std::size_t limit) const;

  std::uint64_t Watch(cluster::Watchers<Sample>::Watcher watcher) { return watchers_.Watch(std::move(watcher)); }
  void Unwatch(std::uint64_t watch) { watchers_.Unwatch(watch); }

 private:
  struct Calls {
    trace::LatencyHistogram times;
    std::int64_t failed = 0;

    void Add(const trace::Trace& trace);
    dev::v1::CallFigures TakeFigures();
  };

  // What is known of a node at the end of a second.
  struct Counted {
    trace::Metrics metrics;
    trace::NodeLoad::Reading load;
  };

  void Arm();
  void OnSecond();
  void AddCall(const trace::Trace& trace);
  void TakeCalls(dev::v1::Sample& sample);
  void TakeNodes(dev::v1::Sample& sample, absl::Time now);
  void TakeProcess(dev::v1::Sample& sample, absl::Duration length);

  base::Strand& strand_;
  trace::Recorder& recorder_;
  const Sources sources_;
  std::uint64_t watch_ = 0;  // of the recorder
  base::TimerId timer_ = base::TimerId::kNone;
  absl::Time begin_;  // of the second that is under way; the strand's clock
  absl::Time due_;    // its end

  Calls calls_;
  absl::flat_hash_map<std::string, std::unique_ptr<Calls>> services_;  // no call to an unknown one gets so far
  std::map<std::int32_t, Counted> counted_;                            // by node, at the end of the second before
  absl::Duration processor_time_;                                      // until then

  std::deque<Sample> kept_;  // newest last
  cluster::Watchers<Sample> watchers_;
};

}  // namespace cloudstate::runtime
