#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cloudstate/dev/v1/dev.pb.h"

namespace cloudstate::cli {

// A message of the admin contract as one line of JSON, without its end. Unlike in the contract's own JSON, payloads and
// replies stand there as the JSON that they are and not as text, so that scripts can look into them.
std::string ToJson(const google::protobuf::Message& message);

// Text in quotation marks, escaped.
std::string JsonString(const std::string& text);
// A list of such texts.
std::string JsonStrings(const std::vector<std::string>& texts);

// Calls `change` for every payload in `message`, however deep.
void ForEachPayload(google::protobuf::Message& message, const std::function<void(dev::v1::Payload&)>& change);

}  // namespace cloudstate::cli
