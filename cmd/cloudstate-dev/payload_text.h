#pragma once

#include <string>

#include "cloudstate/dev/v1/dev.pb.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/base/status_codes.h"

namespace cloudstate::cli {

// "ItemAdded" of "type.googleapis.com/com.example.ItemAdded".
std::string ShortType(const std::string& type_url);

// A payload in one line: its short type, then its meaning, marked where that is guessed.
std::string FormatPayload(const dev::v1::Payload& payload, const Terminal& terminal);

// "Service.Method" with the service's last name only.
std::string ShortMethod(const std::string& service, const std::string& method);

using base::CodeName;

}  // namespace cloudstate::cli
