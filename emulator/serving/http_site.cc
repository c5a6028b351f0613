#include "emulator/serving/http_site.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/log.h"

namespace cloudstate::serving {
namespace {

std::shared_ptr<const HttpSite::MadeTranscoder> MakeTranscoder(std::shared_ptr<const Services> services) {
  auto made = std::make_shared<const HttpSite::MadeTranscoder>(Transcoder::Create(std::move(services)));
  if (!made->ok()) base::LogWarning(absl::StrCat("no HTTP routes: ", made->status().message()));
  return made;
}

std::shared_ptr<const KnownMethods> MakeKnownMethods(std::shared_ptr<const Services> services) {
  return std::make_shared<const KnownMethods>(std::move(services));
}

}  // namespace

HttpSite::HttpSite(const FrontDoor::Options& options)
    : backend(options.backend),
      policy(options.policy),
      cors(options.allowed_origins.has_value() ? std::optional<Cors>(std::in_place, *options.allowed_origins)
                                               : std::nullopt),
      handlers(options.handlers),
      limits(options.limits),
      transcoders(MakeTranscoder),
      known_methods(MakeKnownMethods) {}

absl::StatusOr<std::shared_ptr<const Transcoder>> HttpSite::CurrentTranscoder() {
  const auto services = backend->CurrentServices();
  if (services->services.empty()) return NothingToCall(*backend);
  const auto made = transcoders.Get(services);
  if (!made->ok()) return absl::InternalError(absl::StrCat("there are no HTTP routes: ", made->status().message()));
  return std::shared_ptr<const Transcoder>(made, (*made)->get());
}

}  // namespace cloudstate::serving
