#pragma once

#include <string>

#include "absl/status/status.h"
#include "cloudstate/dev/v1/testfile.pb.h"
#include "emulator/simulation/yaml_message.h"
#include "emulator/testing/known_types.h"

namespace cloudstate::testing {

// Whether a test file makes sense by itself: cases with names, steps that do something, matchers that there are.
// INVALID_ARGUMENT with the place.
absl::Status CheckForm(const dev::v1::TestFile& file, const simulation::YamlPlaces& places);

// Whether the user function has the services, methods, types and fields that it names. INVALID_ARGUMENT with the place,
// and what may have been meant.
absl::Status CheckNames(const dev::v1::TestFile& file, const simulation::YamlPlaces& places, const KnownTypes& types);

// {ItemAdded: {…}}.
struct TypedMessage {
  std::string type;
  const Json* message = nullptr;
};
// INVALID_ARGUMENT with the place for what is no such mapping.
absl::StatusOr<TypedMessage> ReadTypedMessage(const Json& value, const simulation::YamlPlaces& places);

// Where an entity stands as one text: "entity", or "Service entity". `service` is empty where it is not said.
struct NamedEntity {
  std::string service;
  std::string entity;
};
NamedEntity ReadNamedEntity(const std::string& text);

}  // namespace cloudstate::testing
