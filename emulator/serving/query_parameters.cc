#include "emulator/serving/query_parameters.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "emulator/serving/field_text.h"
#include "emulator/serving/percent.h"

namespace cloudstate::serving {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

absl::Status Problem(const std::string& name, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat("query parameter '", name, "': ", problem));
}

// One query, set parameter by parameter.
class Query {
 public:
  Query(const FieldDescriptor* body_field, Message& message) : body_field_(body_field), message_(message) {}

  absl::Status Set(std::string_view parameter) {
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    const std::string_view raw_name = parameter.substr(0, equals);
    auto name = PercentDecode(raw_name, PercentDecoding::kForm);
    if (!name.ok()) return Problem(std::string(raw_name), name.status().message());
    auto text = PercentDecode(parameter.substr(std::min(equals + 1, parameter.size())), PercentDecoding::kForm);
    if (!text.ok()) return Problem(*name, text.status().message());
    auto path = ResolveFieldPath(*message_.GetDescriptor(), *name);
    if (!path.ok()) return Problem(*name, path.status().message());
    if (absl::Status status = Check(*path); !status.ok()) return Problem(*name, status.message());
    if (absl::Status status = SetFromText(message_, *path, *text); !status.ok())
      return Problem(*name, status.message());
    return absl::OkStatus();
  }

 private:
  absl::Status Check(const FieldPath& path) {
    const FieldDescriptor& field = *path.back();
    if (path.front() == body_field_) return absl::InvalidArgumentError("this field is the body of the request");
    if (!TakesText(field)) {
      return absl::InvalidArgumentError(absl::StrCat(field.full_name(), " is a message; name a field within it"));
    }
    if (!field.is_repeated() && !set_.insert(path).second) {
      return absl::InvalidArgumentError("given more than once, but the field is not repeated");
    }
    return CheckOneofs(path);
  }

  // A second member of a oneof would silently replace the first.
  absl::Status CheckOneofs(const FieldPath& path) const {
    const Message* parent = &message_;
    for (std::size_t i = 0; i < path.size(); ++i) {
      const FieldDescriptor* field = path[i];
      if (const auto* oneof = field->real_containing_oneof(); oneof != nullptr) {
        const auto* present = parent->GetReflection()->GetOneofFieldDescriptor(*parent, oneof);
        if (present != nullptr && present != field) {
          return absl::InvalidArgumentError(absl::StrCat(
              "excludes ", present->name(), ", which is given as well: both are of oneof ", oneof->name()));
        }
      }
      if (i + 1 < path.size()) parent = &parent->GetReflection()->GetMessage(*parent, field);
    }
    return absl::OkStatus();
  }

  const FieldDescriptor* const body_field_;
  Message& message_;
  absl::flat_hash_set<FieldPath> set_;  // singular fields that have their value
};

}  // namespace

absl::Status SetFromQuery(std::string_view query, const FieldDescriptor* body_field, Message& message) {
  Query parameters(body_field, message);
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    if (const std::string_view parameter = query.substr(0, end); !parameter.empty()) {
      if (absl::Status status = parameters.Set(parameter); !status.ok()) return status;
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return absl::OkStatus();
}

}  // namespace cloudstate::serving
