#include "emulator/userfunction/json_reader.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/type_resolver_util.h"

namespace cloudstate::userfunction {
namespace {

constexpr char kTypeUrlHost[] = "type.googleapis.com";

}  // namespace

JsonReader::JsonReader(const google::protobuf::DescriptorPool* pool)
    : resolver_(google::protobuf::util::NewTypeResolverForDescriptorPool(kTypeUrlHost, pool)) {}

absl::StatusOr<std::string> JsonReader::Read(const std::string& json, const google::protobuf::Descriptor& type) const {
  std::string serialized;
  const auto read = google::protobuf::util::JsonToBinaryString(
      resolver_.get(), absl::StrCat(kTypeUrlHost, "/", type.full_name()), json, &serialized);
  if (!read.ok()) return absl::InvalidArgumentError(std::string(read.message()));
  return serialized;
}

bool ParsePartial(std::string_view bytes, google::protobuf::Message& message) {
  return bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()) &&
         message.ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace cloudstate::userfunction
