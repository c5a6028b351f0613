#include "cmd/cloudstate-dev/call_timeout.h"

#include "absl/strings/str_cat.h"
#include "emulator/admin/views.h"

namespace cloudstate::cli {
namespace {

constexpr absl::Duration kForTheAnswer = absl::Seconds(1);

}  // namespace

CallTimeout::CallTimeout(const dev::v1::CallStart& start)
    : method_(absl::StrCat(start.service(), ".", start.method())),
      deadline_(start.has_deadline() ? admin::FromDuration(start.deadline()) : absl::InfiniteDuration()) {}

void CallTimeout::Limit(grpc::ClientContext& context) const {
  if (deadline_ < absl::InfiniteDuration())
    context.set_deadline(absl::ToChronoTime(begin_ + deadline_ + kForTheAnswer));
}

bool CallTimeout::Ended(const grpc::Status& status) const {
  return deadline_ < absl::InfiniteDuration() && status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
}

std::string CallTimeout::Message() const {
  return absl::StrCat("no reply to ", method_, " within ", absl::FormatDuration(deadline_),
                      ", and no word from the node that took the call");
}

google::protobuf::Duration CallTimeout::Passed() const { return admin::ToDuration(absl::Now() - begin_); }

}  // namespace cloudstate::cli
