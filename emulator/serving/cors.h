#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "emulator/serving/front_door.h"
#include "emulator/serving/http_message.h"
#include "emulator/serving/http_text.h"

namespace cloudstate::serving {

// "https://app.example", "http://host:8000" as a browser writes them, or "*".
bool IsOrigin(const std::string& text);

// Which web pages of other origins may call and read the answers, as browsers ask it (the Fetch standard's CORS
// protocol). Pages on loopback always may. Pure.
class Cors {
 public:
  // `origins`: what IsOrigin accepts; "*" is every one.
  explicit Cors(std::vector<std::string> origins) : origins_(std::move(origins)) {}

  // Whether a page of that origin may call. No origin is no page.
  bool Allows(absl::string_view origin) const;

  // What a page is told that may not.
  static std::string Refusal(absl::string_view origin);

  // The answer to a browser that asks beforehand; nothing if the request is no such question.
  std::optional<HttpResponse> AnswerPreflight(const HttpMessage& request) const;

  // What an answer needs so that the page may read it, with those of its headers that carry metadata.
  HttpHeaders HeadersFor(absl::string_view origin, const HttpHeaders& metadata) const;

 private:
  const std::vector<std::string> origins_;
};

}  // namespace cloudstate::serving
