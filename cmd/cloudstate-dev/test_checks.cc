#include "cmd/cloudstate-dev/test_checks.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "emulator/testing/crdt_value.h"
#include "emulator/testing/matchers.h"

namespace cloudstate::cli {

EndChecks::Failed EndChecks::Check(const dev::v1::TestCase& test_case) {
  // What does not come to rest shows in what is looked at then.
  if (!test_case.then().empty()) emulator_.AwaitRest(TestEmulator::Rest::kIdle).IgnoreError();
  for (const dev::v1::TestCheck& each : test_case.then()) {
    if (Failed failed = Check(each)) return failed;
  }
  return std::nullopt;
}

EndChecks::Failed EndChecks::Check(const dev::v1::TestCheck& check) {
  const auto service = types_.FindEntityService(check.service(), file_.service());
  if (!service.ok()) return FailedAt(check, 0, service.status());
  if (Failed failed = CheckEvents(check, **service)) return failed;
  if (check.has_state()) {
    const bool crdt = absl::StrContains((*service)->entity_type(), "crdt");
    if (Failed failed = crdt ? CheckCrdt(check, **service) : CheckState(check, **service)) return failed;
  }
  if (Failed failed = CheckSnapshot(check, **service)) return failed;
  return check.replay().empty() ? std::nullopt : CheckReplay(check, **service);
}

absl::StatusOr<std::vector<dev::v1::Payload>> EndChecks::StoredEvents(const dev::v1::Service& service,
                                                                      const std::string& entity) {
  std::vector<dev::v1::Payload> payloads;
  dev::v1::ListEventsRequest request;
  request.set_persistence_id(service.persistence_id());
  request.set_entity_id(entity);
  request.set_limit(1000);
  do {
    const auto events = emulator_.Call(&dev::v1::Emulator::Stub::ListEvents, request);
    if (absl::IsNotFound(events.status())) return payloads;
    if (!events.ok()) return events.status();
    for (const dev::v1::Event& each : events->events()) payloads.push_back(each.payload());
    request.set_from_sequence(events->next_sequence());
  } while (request.from_sequence() > 0);
  return payloads;
}

EndChecks::Failed EndChecks::CheckEvents(const dev::v1::TestCheck& check, const dev::v1::Service& service) {
  constexpr int kField = dev::v1::TestCheck::kEventsFieldNumber;
  if (check.events().empty() && !places_.IsGiven(check, kField)) return std::nullopt;
  const auto payloads = StoredEvents(service, check.entity());
  if (!payloads.ok()) return FailedAt(check, kField, payloads.status());
  return check_.Payloads(check, kField, check.events(), *payloads, "events");
}

EndChecks::Failed EndChecks::CheckState(const dev::v1::TestCheck& check, const dev::v1::Service& service) {
  const auto payloads = StoredEvents(service, check.entity());
  if (!payloads.ok()) return FailedAt(check, dev::v1::TestCheck::kStateFieldNumber, payloads.status());
  const bool none = payloads->empty() || absl::EndsWith(payloads->back().type_url(), ".ValueEntityDelete");
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
  google::protobuf::RepeatedPtrField<testing::Json> expected;
  *expected.Add() = check.snapshot();
  return check_.Payloads(check, kField, expected, {listed->snapshots().rbegin()->payload()}, "snapshot");
}

EndChecks::Failed EndChecks::CheckReplay(const dev::v1::TestCheck& check, const dev::v1::Service& service) {
  constexpr int kField = dev::v1::TestCheck::kReplayFieldNumber;
  const auto method = types_.FindMethod(check.replay(), service.name());
  if (!method.ok()) return FailedAt(check, kField, method.status());
  dev::v1::GetEntityRequest entity;
  entity.set_persistence_id(service.persistence_id());
  entity.set_entity_id(check.entity());
  const auto found = emulator_.Call(&dev::v1::Emulator::Stub::GetEntity, entity);
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
