#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "emulator/serving/backend.h"
#include "emulator/serving/cors.h"
#include "emulator/serving/front_door.h"
#include "emulator/serving/known_methods.h"
#include "emulator/serving/per_services.h"
#include "emulator/serving/transcoder.h"

namespace cloudstate::serving {

// What the HTTP requests of one door are answered from. Immutable but for what follows the services.
struct HttpSite {
  using MadeTranscoder = absl::StatusOr<std::unique_ptr<Transcoder>>;

  explicit HttpSite(const FrontDoor::Options& options);

  // The routes for what can be called now; what is wrong with them, or UNAVAILABLE while there is nothing to call.
  absl::StatusOr<std::shared_ptr<const Transcoder>> CurrentTranscoder();

  Backend* const backend;  // null: handlers only
  const AccessPolicy policy;
  const std::optional<Cors> cors;
  const std::map<std::string, HttpHandler> handlers;
  const FrontDoor::Limits limits;
  PerServices<MadeTranscoder> transcoders;
  PerServices<KnownMethods> known_methods;
};

}  // namespace cloudstate::serving
