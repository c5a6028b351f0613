#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "emulator/serving/backend.h"

namespace cloudstate::admin {

// The request header in which a web page hands in the token that it was given.
inline constexpr char kTokenHeader[] = "x-cloudstate-token";

// Who may change something through the admin port, or call the user function. A browser sends requests for any page
// that asks it to, and tells by an Origin header which page that was; CheckHostAndOrigin has looked at that. The token
// makes sure besides that the page was served by this very run. Immutable; any thread.
class Access {
 public:
  struct Options {
    std::string token;       // of this run; empty lets no page change anything
    bool read_only = false;  // nobody may
  };
  explicit Access(Options options) : options_(std::move(options)) {}

  // Whether a call may be made that changes something; PERMISSION_DENIED says why not. Over a WebSocket the token comes
  // with the first message: CheckToken is then still to be asked.
  absl::Status CheckChange(const serving::Call& call) const;
  // Whether the call's first message has to have the token.
  static bool IsCheckedLater(const serving::Call& call);
  absl::Status CheckToken(std::string_view token) const;

 private:
  Options options_;
};

// 128 bits from the system's source of randomness, in hexadecimal digits.
std::string NewToken();

}  // namespace cloudstate::admin
