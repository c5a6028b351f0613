#include "cmd/cloudstate-dev/stored_service.h"

#include <memory>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/base/meant_name.h"

namespace cloudstate::cli {
namespace {

absl::StatusOr<bool> HasEntitiesOf(JournalSource& journal, const std::string& service) {
  dev::v1::ListEntitiesRequest request;
  request.mutable_filter()->set_service(service);
  request.set_page_size(1);
  const absl::StatusOr<dev::v1::ListEntitiesResponse> page = journal.ListEntities(request);
  if (!page.ok()) return page.status();
  return !page->entities().empty();
}

absl::StatusOr<std::vector<std::string>> StoredServices(JournalSource& journal) {
  std::set<std::string> services;
  dev::v1::ListEntitiesRequest request;
  request.set_page_size(1'000);
  do {
    const absl::StatusOr<dev::v1::ListEntitiesResponse> page = journal.ListEntities(request);
    if (!page.ok()) return page.status();
    for (const dev::v1::Entity& entity : page->entities()) services.insert(entity.service());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return std::vector<std::string>(services.begin(), services.end());
}

}  // namespace

absl::Status UseStoredService(const Settings& settings, std::string& service) {
  if (service.empty()) return absl::OkStatus();
  const absl::StatusOr<std::unique_ptr<JournalSource>> journal = JournalSource::Open(settings);
  return journal.ok() ? UseStoredService(**journal, service) : journal.status();
}

absl::Status UseStoredService(JournalSource& journal, std::string& service) {
  if (service.empty()) return absl::OkStatus();
  const absl::StatusOr<bool> is_whole = HasEntitiesOf(journal, service);
  if (!is_whole.ok()) return is_whole.status();
  if (*is_whole) return absl::OkStatus();
  const absl::StatusOr<std::vector<std::string>> services = StoredServices(journal);
  if (!services.ok()) return services.status();
  if (services->empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> meant = base::MeantName("nothing is stored of a service", service, *services);
  if (!meant.ok()) {
    return absl::Status(meant.status().code(),
                        absl::StrCat("--service: ", absl::string_view(meant.status().message())));
  }
  service = *meant;
  return absl::OkStatus();
}

}  // namespace cloudstate::cli
