#include "cmd/cloudstate-dev/test_checks.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/stored_events.h"
#include "emulator/entities/entity_protocol.h"
#include "emulator/testing/crdt_value.h"
#include "emulator/testing/matchers.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::cli {
namespace {

// Whether fields are looked at whatever it is held against: then a message has to be there that has them.
bool NamesFields(const testing::Json& expected) {
  const std::vector<const testing::Json*> alternatives = testing::Alternatives(expected);
  return !alternatives.empty() && std::all_of(alternatives.begin(), alternatives.end(), [](const testing::Json* each) {
    return !each->struct_value().fields().empty() && !testing::IsMappedMatchers(*each);
  });
}

}  // namespace

EndChecks::Failed EndChecks::Check(const dev::v1::TestCase& test_case) {
  // What does not come to rest shows in what is looked at then.
  if (!test_case.then().empty()) emulator_.AwaitRest(TestEmulator::Rest::kIdle).IgnoreError();
  for (const dev::v1::TestCheck& each : test_case.then()) {
    if (Failed failed = Check(each)) return failed;
  }
  return std::nullopt;
}

EndChecks::Failed EndChecks::Check(const dev::v1::TestCheck& check) {
  if (Failed failed = CheckComplaints(check); failed || check.entity().empty()) return failed;
  const auto service = types_.FindEntityService(check.service(), file_.service());
  if (!service.ok()) return FailedAt(check, 0, service.status());
  if (Failed failed = CheckEvents(check, **service)) return failed;
  if (check.has_state()) {
    const bool crdt = userfunction::KindOf((*service)->entity_type()) == userfunction::EntityKind::kCrdt;
    if (Failed failed = crdt ? CheckCrdt(check, **service) : CheckState(check, **service)) return failed;
  }
  if (Failed failed = CheckSnapshot(check, **service)) return failed;
  return check.replay().empty() ? std::nullopt : CheckReplay(check, **service);
}

EndChecks::Failed EndChecks::CheckComplaints(const dev::v1::TestCheck& check) {
  constexpr int kField = dev::v1::TestCheck::kComplaintsFieldNumber;
  if (check.complaints().empty() && !places_.IsGiven(check, kField)) return std::nullopt;
  const auto complaints = emulator_.Complaints();
  if (!complaints.ok()) return FailedAt(check, kField, complaints.status());
  std::vector<testing::Actual> came;
  for (const std::string& each : *complaints) came.push_back(testing::ActualOf(testing::TextValue(each)));
  return check_.Values(check, kField, check.complaints(), came, "complaints");
}

absl::StatusOr<std::vector<dev::v1::Payload>> EndChecks::StoredPayloads(const dev::v1::Service& service,
                                                                        const std::string& entity) {
  auto events = StoredEvents(emulator_, {service.persistence_id(), entity});
  if (!events.ok()) return events.status();
  std::vector<dev::v1::Payload> payloads;
  for (dev::v1::Event& each : *events) payloads.push_back(std::move(*each.mutable_payload()));
  return payloads;
}

EndChecks::Failed EndChecks::CheckEvents(const dev::v1::TestCheck& check, const dev::v1::Service& service) {
  constexpr int kField = dev::v1::TestCheck::kEventsFieldNumber;
  if (check.events().empty() && !places_.IsGiven(check, kField)) return std::nullopt;
  const auto payloads = StoredPayloads(service, check.entity());
  if (!payloads.ok()) return FailedAt(check, kField, payloads.status());
  return check_.Payloads(check, kField, check.events(), *payloads, "events");
}

EndChecks::Failed EndChecks::CheckState(const dev::v1::TestCheck& check, const dev::v1::Service& service) {
  constexpr int kField = dev::v1::TestCheck::kStateFieldNumber;
  const auto payloads = StoredPayloads(service, check.entity());
  if (!payloads.ok()) return FailedAt(check, kField, payloads.status());
  const bool none = payloads->empty() || payloads->back().type_url() == entities::kDeletedValue;
  if (none && NamesFields(check.state())) {
    return check_.Failure(check, kField,
                          absl::StrCat("there is no state of '", check.entity(), "', whose fields could be looked at"));
  }
  return check_.Value(check.state(), none ? testing::Actual() : types_.Decode(payloads->back()), "state");
}

EndChecks::Failed EndChecks::CheckCrdt(const dev::v1::TestCheck& check, const dev::v1::Service& service) {
  // Where nodes go on to differ, as in a partition, that is told below.
  emulator_.AwaitRest(TestEmulator::Rest::kConverged).IgnoreError();
  dev::v1::GetCrdtRequest request;
  request.set_persistence_id(service.persistence_id());
  request.set_entity_id(check.entity());
  request.set_elements(10'000);
  const auto crdt = emulator_.Call(&dev::v1::Crdts::Stub::GetCrdt, request);
  if (!crdt.ok() && !absl::IsNotFound(crdt.status())) {
    return FailedAt(check, dev::v1::TestCheck::kStateFieldNumber, crdt.status());
  }
  testing::Actual state;
  std::string path = "state";
  if (crdt.ok()) {
    for (const dev::v1::CrdtReplica& replica : crdt->replicas()) {
      if (!replica.has_value()) continue;
      state = testing::CrdtActual(replica.value(), types_);
      // Where nodes differ, it matters whose it is.
      if (!crdt->crdt().agreed()) path = absl::StrCat("state on node ", replica.node());
      break;
    }
  }
  return check_.Value(check.state(), state, path);
}

EndChecks::Failed EndChecks::CheckSnapshot(const dev::v1::TestCheck& check, const dev::v1::Service& service) {
  constexpr int kField = dev::v1::TestCheck::kSnapshotFieldNumber;
  if (!check.has_snapshot()) return std::nullopt;
  dev::v1::ListSnapshotsRequest request;
  request.set_persistence_id(service.persistence_id());
  request.set_entity_id(check.entity());
  const auto listed = emulator_.Call(&dev::v1::Emulator::Stub::ListSnapshots, request);
  if (!listed.ok() && !absl::IsNotFound(listed.status())) return FailedAt(check, kField, listed.status());
  const bool none = !listed.ok() || listed->snapshots().empty();
  const bool expects_none = testing::IsTextMatcher(check.snapshot(), testing::kAbsent);
  if (none != expects_none) {
    return check_.Failure(check, kField, none ? "there is no snapshot" : "there is a snapshot, and should be none");
  }
  if (none) return std::nullopt;
  return check_.Payload(check.snapshot(), listed->snapshots().rbegin()->payload(), "snapshot");
}

EndChecks::Failed EndChecks::CheckReplay(const dev::v1::TestCheck& check, const dev::v1::Service& service) {
  constexpr int kField = dev::v1::TestCheck::kReplayFieldNumber;
  const auto method = types_.FindMethod(check.replay(), service.name());
  if (!method.ok()) return FailedAt(check, kField, method.status());
  dev::v1::GetEntityRequest entity;
  entity.set_persistence_id(service.persistence_id());
  entity.set_entity_id(check.entity());
  const auto found = emulator_.Call(&dev::v1::Emulator::Stub::GetEntity, entity);
  if (absl::IsNotFound(found.status())) {
    return check_.Failure(check, kField, absl::StrCat("nothing is stored of '", check.entity(), "'"));
  }
  if (!found.ok()) return FailedAt(check, kField, found.status());
  dev::v1::ReplayRequest request;
  request.set_persistence_id(service.persistence_id());
  request.set_entity_id(check.entity());
  request.set_sequence(found->last_sequence());
  dev::v1::ReplayCommand& command = *request.add_commands();
  command.set_service(method->service->name());
  command.set_method(method->method->name());
  if (check.has_input()) command.set_json(testing::JsonText(check.input()));
  const auto replayed = emulator_.Call(&dev::v1::Replays::Stub::Replay, request);
  if (!replayed.ok()) return FailedAt(check, kField, replayed.status());
  if (replayed->outcomes().empty()) return check_.Failure(check, kField, "the user function gave no answer");
  const dev::v1::ReplayOutcome& outcome = replayed->outcomes(0);
  if (outcome.code() != 0) {
    return check_.Failure(check, kField,
                          absl::StrCat(check.replay(), " failed when it was replayed: ", outcome.message()));
  }
  return check.has_reply() ? check_.Value(check.reply(), types_.Decode(outcome.reply()), "reply") : std::nullopt;
}

}  // namespace cloudstate::cli
