#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cloudstate/dev/v1/replay.pb.h"
#include "emulator/admin/cancellation.h"
#include "emulator/admin/live.h"
#include "emulator/admin/reader_pool.h"
#include "emulator/serving/backend.h"

namespace cloudstate::admin {

// How many replays there may be at once: each holds a stream of the user function and some events. A place is given
// back when the stream has gone. Any thread.
class ReplayPlaces {
 public:
  static constexpr int kMost = 16;

  // Null where `most` are taken; given back with the last copy.
  static std::shared_ptr<const ReplayPlaces> Take(const std::shared_ptr<std::atomic<int>>& taken, int most);
  explicit ReplayPlaces(std::shared_ptr<std::atomic<int>> taken) : taken_(std::move(taken)) {}
  ~ReplayPlaces() { --*taken_; }
  ReplayPlaces(const ReplayPlaces&) = delete;
  ReplayPlaces& operator=(const ReplayPlaces&) = delete;

 private:
  const std::shared_ptr<std::atomic<int>> taken_;
};

// One Replay of the contract: reads the journal and tells what payloads mean on the readers' threads, and has the
// conversation on the strand. Kept by whichever of them owes it an answer.
class Replaying final : public std::enable_shared_from_this<Replaying> {
 public:
  static constexpr absl::Duration kLongestDeadline = absl::Minutes(1);

  // `live` outlives this object.
  Replaying(Live& live, std::shared_ptr<ReaderPool> pool, std::shared_ptr<const ReplayPlaces> place,
            dev::v1::ReplayRequest request, std::shared_ptr<serving::Responder> answer)
      : live_(live),
        pool_(std::move(pool)),
        place_(std::move(place)),
        request_(std::move(request)),
        answer_(std::move(answer)) {}

  // Within the Start of the call.
  void Begin();

 private:
  // Runs on a reader's thread; what fails ends the call.
  using Task = absl::Status (Replaying::*)(Views& views);
  void Read(Task task);
  // Gives its place back first: whoever has the answer may ask again at once.
  void Finish(const absl::Status& status);
  absl::Status Check();
  absl::Status Prepare(Views& views);
  absl::StatusOr<entities::ReplayPlan> MakePlan(Views& views);
  // The first page, and how to get the others.
  absl::Status AddPages(Views& views, std::int64_t last_sequence, entities::ReplayPlan& plan);
  absl::Status Describe(Views& views);

  Live& live_;
  const std::shared_ptr<ReaderPool> pool_;
  std::shared_ptr<const ReplayPlaces> place_;  // until the stream has gone
  const dev::v1::ReplayRequest request_;
  const std::shared_ptr<serving::Responder> answer_;
  const std::shared_ptr<Cancellation> cancellation_ = std::make_shared<Cancellation>();
  const absl::Time begin_ = absl::Now();
  absl::Duration deadline_;
  Live::ReplayTarget target_;
  entities::ReplayResult result_;
};

}  // namespace cloudstate::admin
