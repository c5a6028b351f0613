#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/base/names.h"
#include "emulator/testing/json_value.h"
#include "emulator/testing/method_reference.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/dynamic_message.h"

namespace cloudstate::testing {

// The services and message types of a user function, by the names that test files call them. For one thread.
class KnownTypes {
 public:
  // `file_descriptor_set` as in cloudstate.dev.v1.Types. INVALID_ARGUMENT for types that don't fit together.
  static absl::StatusOr<std::unique_ptr<KnownTypes>> Build(dev::v1::ListServicesResponse services,
                                                           std::string_view file_descriptor_set);
  ~KnownTypes();

  // By the names that method_reference.h tells of, with its errors.
  absl::StatusOr<const dev::v1::Service*> FindService(const std::string& name) const {
    return testing::FindService(services_, name);
  }
  // Of entities that name none: the default, or the only service there is that has entities.
  absl::StatusOr<const dev::v1::Service*> FindEntityService(const std::string& name,
                                                            const std::string& default_service) const;
  absl::StatusOr<MethodReference> FindMethod(const std::string& name, const std::string& default_service) const {
    return testing::FindMethod(services_, name, default_service);
  }
  // A message type, likewise; the names of what is stored that is no message, such as "string", have none: null.
  absl::StatusOr<const google::protobuf::Descriptor*> FindType(const std::string& name) const;
  // Of a method: null where the type is not described.
  const google::protobuf::Descriptor* TypeOf(const std::string& full_name) const;

  // The message in serialized form. INVALID_ARGUMENT says what is wrong with it.
  absl::StatusOr<std::string> Encode(const Json& value, const google::protobuf::Descriptor& type) const;
  // A message of a type that is known, or else `json`, what the emulator makes of it.
  Actual Decode(std::string_view type_name, std::string_view bytes, const std::string& json) const;
  Actual Decode(const dev::v1::Payload& payload) const;
  // The same JSON, with the defaults and keys of a type; nothing where it is no whole message of that.
  std::optional<Actual> Recognized(const Actual& json, const std::string& type_name) const;

  const dev::v1::ListServicesResponse& services() const { return services_; }

 private:
  struct Parts;

  KnownTypes();

  dev::v1::ListServicesResponse services_;
  std::vector<std::string> type_names_;  // full, without google.protobuf's
  std::unique_ptr<Parts> parts_;
};

using base::LastPart;
using base::MeansName;
using base::TypeName;

}  // namespace cloudstate::testing
