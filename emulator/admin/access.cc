#include "emulator/admin/access.h"

#include <random>

#include "absl/strings/str_cat.h"

namespace cloudstate::admin {
namespace {

std::string_view HeaderOf(const serving::Call& call, std::string_view name) {
  for (const MetadataEntry& entry : call.metadata.entries()) {
    if (entry.key() == name) return entry.string_value();
  }
  return "";
}

bool IsOfWebPage(const serving::Call& call) { return !HeaderOf(call, "origin").empty(); }

}  // namespace

absl::Status Access::CheckChange(const serving::Call& call) const {
  if (options_.read_only) {
    return absl::PermissionDeniedError(
        "The emulator was started with --read-only: nothing can be changed or called through its admin port.");
  }
  if (!IsOfWebPage(call) || IsCheckedLater(call)) return absl::OkStatus();
  return CheckToken(HeaderOf(call, kTokenHeader));
}

bool Access::IsCheckedLater(const serving::Call& call) { return call.protocol == "websocket" && IsOfWebPage(call); }

absl::Status Access::CheckToken(std::string_view token) const {
  if (!options_.token.empty() && token == options_.token) return absl::OkStatus();
  return absl::PermissionDeniedError(
      "This page was not served by the emulator that runs now, so it may not change anything. Reload the page.");
}

std::string NewToken() {
  std::random_device random;
  std::string token;
  for (int i = 0; i < 4; ++i) absl::StrAppend(&token, absl::Hex(random(), absl::kZeroPad8));
  return token;
}

}  // namespace cloudstate::admin
