#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "cloudstate/dev/v1/scaling.pb.h"
#include "emulator/base/strand.h"
#include "emulator/serving/backend.h"
#include "emulator/trace/trace.h"

namespace cloudstate::runtime {

// How long each part of a call took; nothing that its trace does not have.
struct PartsOfCall {
  absl::Duration until_sent;     // from its beginning until its first command was in the user function's hands
  absl::Duration user_function;  // in its hands, all commands together
  absl::Duration journal;        // from replies until what they stored was durable
  absl::Duration held;           // by the activator, until it was sent

  bool operator==(const PartsOfCall&) const = default;
};
PartsOfCall PartsOf(const trace::Trace& trace);

// Records the times of the calls that begin and end while this is there, and hands them over several at a time: as soon
// as there are many, and a moment after the first one otherwise. Calls of methods that stream are left out. Without
// such an object calls cost nothing. On the nodes' strand.
class CallRecording {
 public:
  static constexpr int kMostAtOnce = 500;
  static constexpr absl::Duration kMoment = absl::Milliseconds(200);

  using Watcher = absl::AnyInvocable<void(dev::v1::CallTimes)>;
  using CurrentServices = std::function<std::shared_ptr<const serving::Services>()>;

  // Strand and recorder outlive this. `services` are those that are called.
  CallRecording(base::Strand& strand, trace::Recorder& recorder, CurrentServices services, Watcher watcher);
  ~CallRecording();
  CallRecording(const CallRecording&) = delete;
  CallRecording& operator=(const CallRecording&) = delete;

 private:
  void Add(const trace::Trace& trace);
  bool Streams(const trace::Trace& trace);
  void HandOver();

  base::Strand& strand_;
  trace::Recorder& recorder_;
  const CurrentServices current_services_;
  Watcher watcher_;
  const absl::Time began_;       // the strand's clock
  const absl::Time wall_began_;  // the same as time of day
  std::uint64_t watch_ = 0;
  base::TimerId timer_ = base::TimerId::kNone;
  dev::v1::CallTimes times_;
  std::shared_ptr<const serving::Services> services_;  // of which is known
  absl::flat_hash_map<std::string, bool> streams_;     // which methods stream, by full name
};

}  // namespace cloudstate::runtime
