#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cloudstate/entity.pb.h"

namespace cloudstate::serving {

// Adds one of the client's headers, `name` in lower case, to what the backend sees. `bytes`: the decoded value of a
// "-bin" header. Headers that belong to the transport (content-type, te, connection, grpc-timeout…) are left out.
enum class HeaderKind { kText, kBytes };
void AddRequestHeader(absl::string_view name, absl::string_view value, HeaderKind kind, Metadata& metadata);

// A backend's header for the client. Name in lower case; the values of "-bin" headers are the bytes themselves.
struct ResponseHeader {
  std::string name;
  absl::string_view value;  // into the Metadata it was made from
  HeaderKind kind = HeaderKind::kText;
};

// The entries that may travel as response headers. Left out, with a warning in the log: names that are no header names,
// that belong to the transport, or that carry bytes without ending in "-bin"; text that is not printable ASCII, which
// neither protocol can carry and which could forge other headers.
std::vector<ResponseHeader> ResponseHeaders(const Metadata& metadata);

}  // namespace cloudstate::serving
