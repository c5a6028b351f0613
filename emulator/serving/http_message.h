#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "emulator/serving/http_text.h"
#include "emulator/serving/transcoder.h"

namespace cloudstate::serving {

// A whole request as it was read.
struct HttpMessage {
  std::string method;
  std::string target;
  bool http_1_0 = false;
  HttpHeaders headers;  // names in lower case, in their order
  std::string body;
  std::string peer;

  const std::string& Header(absl::string_view name) const;  // the first of that name, or empty

  // As transcoding and handlers see it; takes the body. HEAD is GET, whose body is left out when it is answered.
  HttpRequest TakeRequest();
};

}  // namespace cloudstate::serving
