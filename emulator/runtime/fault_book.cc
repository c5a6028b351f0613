#include "emulator/runtime/fault_book.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "emulator/base/did_you_mean.h"
#include "emulator/base/meant_name.h"
#include "emulator/base/names.h"
#include "emulator/base/proto_time.h"

namespace cloudstate::runtime {
namespace {

absl::Status CheckDelay(const dev::v1::Fault& fault) {
  if (fault.kind() != dev::v1::Fault::SLOW) {
    if (!fault.has_delay()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("A delay is for faults of kind SLOW, and this is ", dev::v1::Fault::Kind_Name(fault.kind()), "."));
  }
  if (fault.has_delay() && base::FromDuration(fault.delay()) > absl::ZeroDuration()) return absl::OkStatus();
  return absl::InvalidArgumentError("A fault of kind SLOW needs a delay of more than nothing, such as \"0.2s\".");
}

absl::Status Check(const dev::v1::Fault& fault) {
  if (fault.kind() == dev::v1::Fault::KIND_UNSPECIFIED || !dev::v1::Fault::Kind_IsValid(fault.kind())) {
    return absl::InvalidArgumentError(
        "A fault has a kind: FAILED_WRITE, FAILED_READ, LOST_STREAM, SLOW or NO_ANSWER. For partitions and slow links "
        "there is the service Cluster.");
  }
  if (fault.times() < 0 || fault.after() < 0) {
    return absl::InvalidArgumentError(
        "`times` (0 for every time) and `after` (how many are let through before) are 0 or more.");
  }
  if (fault.kind() == dev::v1::Fault::FAILED_READ && !fault.method().empty()) {
    return absl::InvalidArgumentError(
        "An entity is read when it is loaded, whatever the method: leave out `method` with FAILED_READ.");
  }
  return CheckDelay(fault);
}

bool IsOfTheJournal(dev::v1::Fault::Kind kind) {
  return kind == dev::v1::Fault::FAILED_WRITE || kind == dev::v1::Fault::FAILED_READ;
}

bool IsInJournal(const userfunction::ServiceSpec& service) {
  return service.kind == userfunction::EntityKind::kEventSourced ||
         service.kind == userfunction::EntityKind::kValueEntity;
}

std::string NameOf(const dev::v1::Fault& fault) {
  return fault.service().empty() ? "the user function" : absl::StrCat("'", fault.service(), "'");
}

}  // namespace

void FaultBook::SetServices(std::shared_ptr<const userfunction::Specification> specification) {
  const std::lock_guard lock(mutex_);
  specification_ = std::move(specification);
}

absl::StatusOr<std::string> FaultBook::FullName(const std::string& service) const {
  if (service.empty() || specification_ == nullptr) return service;
  std::vector<std::string> names;
  for (const auto* descriptor : specification_->SortedServices()) names.push_back(descriptor->full_name());
  absl::StatusOr<std::string> meant = base::MeantName("the user function has no service", service, names);
  return meant.ok() ? meant : absl::InvalidArgumentError(meant.status().message());
}

// `fault` has its service's full name.
absl::Status FaultBook::CheckCanStrike(const dev::v1::Fault& fault) const {
  if (specification_ == nullptr) return absl::OkStatus();
  std::vector<const userfunction::ServiceSpec*> services;
  for (const auto* descriptor : specification_->SortedServices()) {
    if (fault.service().empty() || descriptor->full_name() == fault.service())
      services.push_back(&specification_->services.at(descriptor->full_name()));
  }
  if (IsOfTheJournal(fault.kind())) {
    std::erase_if(services, [](const auto* service) { return !IsInJournal(*service); });
    if (services.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "Nothing of ", NameOf(fault), " is in the journal, so that ", dev::v1::Fault::Kind_Name(fault.kind()),
          " never strikes: name a service of event-sourced or value entities, or take another kind."));
    }
  }
  if (!fault.entity_id().empty()) {
    std::erase_if(services, [](const auto* service) { return service->kind == userfunction::EntityKind::kAction; });
    if (services.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("Actions have no entities, and ", NameOf(fault), " has no others: leave out `entity_id`."));
    }
  }
  std::vector<std::string> methods;
  for (const auto* service : services) {
    for (int i = 0; i < service->descriptor->method_count(); ++i)
      methods.push_back(service->descriptor->method(i)->name());
  }
  if (fault.method().empty() || std::ranges::find(methods, fault.method()) != methods.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("There is no method '", fault.method(), "' of ", NameOf(fault),
                                                 " that this fault could strike",
                                                 base::DidYouMean(fault.method(), methods), "."));
}

absl::StatusOr<dev::v1::Fault> FaultBook::Add(dev::v1::Fault fault) {
  if (absl::Status status = Check(fault); !status.ok()) return status;
  const std::lock_guard lock(mutex_);
  absl::StatusOr<std::string> service = FullName(fault.service());
  if (!service.ok()) return service.status();
  fault.set_service(*std::move(service));
  if (absl::Status status = CheckCanStrike(fault); !status.ok()) return status;
  fault.set_id(++last_id_);
  fault.set_struck(0);
  entries_.push_back({.fault = fault});
  ++count_;
  return fault;
}

std::vector<dev::v1::Fault> FaultBook::List() const {
  const std::lock_guard lock(mutex_);
  std::vector<dev::v1::Fault> faults;
  for (const Entry& entry : entries_) faults.push_back(entry.fault);
  return faults;
}

absl::Status FaultBook::Clear(std::int64_t fault) {
  std::vector<std::shared_ptr<Holder>> holders;
  {
    const std::lock_guard lock(mutex_);
    const auto cleared = std::erase_if(entries_, [fault](const Entry& entry) { return entry.fault.id() == fault; });
    if (cleared == 0) {
      return absl::NotFoundError(absl::StrCat("There is no fault ", fault,
                                              ", or it has struck as often as it should; ListFaults lists them."));
    }
    count_ = entries_.size();
    holders = Holders();
  }
  for (const auto& holder : holders) holder->LetGo(fault);
  return absl::OkStatus();
}

void FaultBook::ClearAll() {
  std::vector<std::shared_ptr<Holder>> holders;
  {
    const std::lock_guard lock(mutex_);
    entries_.clear();
    count_ = 0;
    holders = Holders();
  }
  for (const auto& holder : holders) holder->LetGo(0);
}

std::optional<dev::v1::Fault> FaultBook::Strike(Kind kind, const Place& place) {
  if (empty()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->fault.kind() != kind || !Fits(entry->fault, place)) continue;
    if (entry->let_through < entry->fault.after()) {
      ++entry->let_through;
      continue;
    }
    entry->fault.set_struck(entry->fault.struck() + 1);
    dev::v1::Fault struck = entry->fault;
    if (struck.times() > 0 && struck.struck() >= struck.times()) {
      entries_.erase(entry);
      count_ = entries_.size();
    }
    return struck;
  }
  return std::nullopt;
}

bool FaultBook::Fits(const dev::v1::Fault& fault, const Place& place) const {
  if (!fault.service().empty() && !base::MeansName(fault.service(), place.service) &&
      !IsStoredAs(fault.service(), place.persistence_id)) {
    return false;
  }
  return (fault.method().empty() || fault.method() == place.method) &&
         (fault.entity_id().empty() || fault.entity_id() == place.entity_id);
}

bool FaultBook::IsStoredAs(const std::string& service, std::string_view persistence_id) const {
  if (persistence_id.empty() || specification_ == nullptr) return false;
  return std::ranges::any_of(specification_->services, [&](const auto& each) {
    return each.second.persistence_id == persistence_id && base::MeansName(service, each.first);
  });
}

void FaultBook::Register(std::weak_ptr<Holder> holder) {
  const std::lock_guard lock(mutex_);
  std::erase_if(holders_, [](const auto& each) { return each.expired(); });
  holders_.push_back(std::move(holder));
}

std::vector<std::shared_ptr<FaultBook::Holder>> FaultBook::Holders() {
  std::vector<std::shared_ptr<Holder>> alive;
  for (const auto& each : holders_) {
    if (auto holder = each.lock()) alive.push_back(std::move(holder));
  }
  return alive;
}

std::string DescribeFault(const dev::v1::Fault& fault) {
  return absl::StrCat("a fault that a test injected (number ", fault.id(), ")");
}

}  // namespace cloudstate::runtime
