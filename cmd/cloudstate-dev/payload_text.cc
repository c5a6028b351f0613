#include "cmd/cloudstate-dev/payload_text.h"

#include "absl/strings/str_cat.h"
#include "emulator/base/names.h"
#include "emulator/entities/entity_protocol.h"

namespace cloudstate::cli {

std::string ShortType(const std::string& type_url) { return base::LastPart(base::TypeName(type_url)); }

std::string FormatPayload(const dev::v1::Payload& payload, const Terminal& terminal) {
  if (payload.type_url() == entities::kDeletedValue) return Styled("deleted", Style::kBold, terminal);
  return absl::StrCat(Styled(Printable(ShortType(payload.type_url())), Style::kBold, terminal), " ",
                      Printable(payload.json()),
                      payload.described() ? "" : Styled(" (not described)", Style::kDim, terminal));
}

std::string ShortMethod(const std::string& service, const std::string& method) {
  return absl::StrCat(ShortType(service), ".", method);
}

}  // namespace cloudstate::cli
