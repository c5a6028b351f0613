// Time that goes on at once, and what goes wrong.

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/proto_time.h"
#include "emulator/runtime/test_control.h"

namespace cloudstate::runtime {
namespace {

constexpr absl::Duration kMostAtOnce = absl::Hours(24);

dev::v1::ListFaultsResponse Listed(const FaultBook& faults) {
  dev::v1::ListFaultsResponse response;
  for (dev::v1::Fault& fault : faults.List()) *response.add_faults() = std::move(fault);
  return response;
}

}  // namespace

void TestControl::AdvanceTime(const dev::v1::AdvanceTimeRequest& request, Done<dev::v1::AdvanceTimeResponse> done) {
  const absl::Duration by = base::FromDuration(request.by());
  if (by < absl::ZeroDuration() || by > kMostAtOnce) {
    return done(absl::InvalidArgumentError(absl::StrCat("Time goes on by at most ", absl::FormatDuration(kMostAtOnce),
                                                        " at once, and never back; asked for ",
                                                        absl::FormatDuration(by), ".")));
  }
  parts_.strand.Post([this, by, done = std::move(done)]() mutable {
    // Whoever is still asked for its services would be asked again and again, as often as would be in so much time.
    if (const auto types = Types(); !types.ok()) return done(types.status());
    parts_.advance(by, [&strand = parts_.strand, done = std::move(done)]() mutable {
      dev::v1::AdvanceTimeResponse response;
      *response.mutable_ahead() = base::ToDuration(strand.Ahead());
      done(std::move(response));
    });
  });
}

void TestControl::InjectFault(const dev::v1::InjectFaultRequest& request, Done<dev::v1::Fault> done) {
  parts_.strand.Post(
      [this, fault = request.fault(), done = std::move(done)]() mutable { done(parts_.faults.Add(std::move(fault))); });
}

void TestControl::ListFaults(const dev::v1::ListFaultsRequest&, Done<dev::v1::ListFaultsResponse> done) {
  parts_.strand.Post([this, done = std::move(done)]() mutable { done(Listed(parts_.faults)); });
}

void TestControl::ClearFaults(const dev::v1::ClearFaultsRequest& request, Done<dev::v1::ListFaultsResponse> done) {
  parts_.strand.Post([this, id = request.id(), done = std::move(done)]() mutable {
    if (id == 0) {
      parts_.faults.ClearAll();
    } else if (absl::Status status = parts_.faults.Clear(id); !status.ok()) {
      return done(std::move(status));
    }
    done(Listed(parts_.faults));
  });
}

}  // namespace cloudstate::runtime
