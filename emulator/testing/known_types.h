#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/base/names.h"
#include "emulator/testing/json_value.h"
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

  struct Method {
    const dev::v1::Service* service = nullptr;
    const dev::v1::Method* method = nullptr;

    // "com.example.ShoppingCart.AddItem".
    std::string FullName() const;
  };

  // By the full name or its last part. NOT_FOUND says what may have been meant, INVALID_ARGUMENT that several are
  // called so.
  absl::StatusOr<const dev::v1::Service*> FindService(const std::string& name) const;
  // Of entities that name none: the default, or the only service there is that has entities.
  absl::StatusOr<const dev::v1::Service*> FindEntityService(const std::string& name,
                                                            const std::string& default_service) const;
  // "Service.Method" or "Service/Method"; a method's name alone is of the default service, or of the only one that has
  // it.
  absl::StatusOr<Method> FindMethod(const std::string& name, const std::string& default_service) const;
  // A message type; the names of what is stored that is no message, such as "string", have none: null.
  absl::StatusOr<const google::protobuf::Descriptor*> FindType(const std::string& name) const;
  // Of a method: null where the type is not described.
  const google::protobuf::Descriptor* TypeOf(const std::string& full_name) const;

  // The message in serialized form. INVALID_ARGUMENT says what is wrong with it.
  absl::StatusOr<std::string> Encode(const Json& value, const google::protobuf::Descriptor& type) const;
  // A message of a type that is known, or else `json`, what the emulator makes of it.
  Actual Decode(std::string_view type_name, std::string_view bytes, const std::string& json) const;
  Actual Decode(const dev::v1::Payload& payload) const;
  // The same JSON, with the defaults and keys of a type where it is a whole message of that.
  Actual Recognized(Actual json, const std::string& type_name) const;

  const dev::v1::ListServicesResponse& services() const { return services_; }

 private:
  struct Parts;

  KnownTypes();

  dev::v1::ListServicesResponse services_;
  std::vector<std::string> type_names_;  // full, without google.protobuf's
  std::unique_ptr<Parts> parts_;
};

using base::LastPart;
using base::TypeName;

// Whether a test file that says `written` means the name: it is the name, or its last parts.
bool MeansName(const std::string& written, const std::string& full_name);

}  // namespace cloudstate::testing
