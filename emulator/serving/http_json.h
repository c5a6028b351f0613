#pragma once

#include "emulator/serving/http_form.h"
#include "emulator/serving/http_message.h"
#include "emulator/serving/http_site.h"

namespace cloudstate::serving {

// Reads a call by the routes of google.api.http, with JSON or an HttpBody in and out; see docs/http.md. A stream is
// answered as lines of JSON, as server-sent events where the client accepts them, or as an HttpBody's bytes.
HttpCallOrRefusal ReadJsonCall(HttpSite& site, const HttpMessage& message, const HttpRequest& request);

// The JSON object that tells a client in the middle of a stream why it ended: {"error": a problem document}.
std::string StreamErrorJson(const absl::Status& status);

}  // namespace cloudstate::serving
