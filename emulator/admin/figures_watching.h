#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "cloudstate/dev/v1/figures.pb.h"
#include "emulator/admin/log_filter.h"
#include "emulator/admin/watching.h"

namespace cloudstate::admin {

// The figures of each second.
class SamplesWatching final : public QueuedWatching<dev::v1::WatchSamplesRequest, Live::Sample> {
 public:
  using QueuedWatching::QueuedWatching;
  static absl::Status Check(const dev::v1::WatchSamplesRequest& request);

 protected:
  std::unique_ptr<Live::Watch> Subscribe() override;
  absl::StatusOr<Progress> Send(Views& views) override;
};

// Lines of the log, read from where they are kept; those that are no longer there are told by a line of their own.
class LogLinesWatching final : public Watching {
 public:
  // The request has passed Check.
  LogLinesWatching(std::shared_ptr<ReaderPool> pool, std::shared_ptr<serving::Responder> responder, Live& live,
                   const dev::v1::WatchLogLinesRequest& request);
  static absl::Status Check(const dev::v1::WatchLogLinesRequest& request);

 protected:
  std::unique_ptr<Live::Watch> Subscribe() override;
  absl::StatusOr<Progress> Send(Views& views) override;

 private:
  void Take(LogLines lines);

  Live& live_;
  const LogFilter filter_;
  const std::size_t newest_;
  std::optional<std::int64_t> next_;  // number; none: has not begun
  std::deque<std::shared_ptr<const dev::v1::LogLine>> unsent_;
};

// How many lines of the log somebody gets who asks for so many: 10,000 at most. INVALID_ARGUMENT below 0.
absl::StatusOr<std::size_t> LogLimit(int asked);

}  // namespace cloudstate::admin
