#include "emulator/fuzzing/finding_test_file.h"

#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "emulator/base/names.h"
#include "emulator/base/proto_time.h"
#include "emulator/base/status_codes.h"
#include "emulator/testing/matchers.h"

namespace cloudstate::fuzzing {
namespace {

using dev::v1::TestStep;
using google::protobuf::Value;

// The one service that everything is about; empty where there are several.
std::string OnlyService(const Sequence& sequence, const std::vector<Method>& methods) {
  std::set<std::string> services;
  for (const TestStep& step : sequence) {
    if (step.has_evict()) services.insert(step.evict().substr(0, step.evict().find(' ')));
    const Method* method = step.has_call() ? FindMethod(methods, step.call()) : nullptr;
    if (method != nullptr) services.insert(method->service);
  }
  return services.size() == 1 ? *services.begin() : "";
}

// Names without the service, where that stands at the file's head.
void Shorten(const std::string& service, TestStep& step) {
  if (service.empty()) return;
  if (step.has_call() && absl::StartsWith(step.call(), service + ".")) {
    step.set_call(step.call().substr(service.size() + 1));
  }
  if (step.has_evict() && absl::StartsWith(step.evict(), service + " ")) {
    step.set_evict(step.evict().substr(service.size() + 1));
  }
}

Value Event(const Said& event) {
  Value value;
  const std::string type = base::TypeName(event.type_url);
  (*value.mutable_struct_value()->mutable_fields())[type] = testing::Expecting(event.Parsed());
  return value;
}

void ExpectError(int code, TestStep& step) { step.mutable_error()->set_code(base::CodeName(code)); }

void ExpectOutcome(const Outcome& outcome, TestStep& step) {
  if (outcome.code != 0) {
    ExpectError(outcome.code, step);
    step.mutable_error()->mutable_message()->set_string_value(testing::Escaped(outcome.message));
    return;
  }
  if (outcome.reply.has_value()) *step.mutable_reply() = testing::Expecting(outcome.reply->Parsed());
  if (outcome.forward.has_value()) {
    step.mutable_forward()->set_call(outcome.forward->method);
    *step.mutable_forward()->mutable_input() = testing::Expecting(outcome.forward->payload.Parsed());
  }
  for (const Said& event : outcome.events) *step.add_events() = Event(event);
  for (const Further& effect : outcome.effects) {
    auto& expected = *step.add_effects();
    expected.set_call(effect.method);
    *expected.mutable_input() = testing::Expecting(effect.payload.Parsed());
  }
}

// What an entity has forgotten, or its events don't say, shows when it is loaded anew.
bool NeedsEviction(FindingKind kind) {
  return kind == FindingKind::kSnapshot || kind == FindingKind::kChance || kind == FindingKind::kLoad;
}

void AddStep(const Played& played, std::size_t index, const std::vector<Method>& methods, absl::Duration deadline,
             dev::v1::TestCase& test) {
  TestStep step = played.sequence[index];
  const Finding& finding = played.finding;
  if (index != finding.step) {
    if (index < played.codes.size() && played.codes[index] != 0) ExpectError(played.codes[index], step);
    *test.add_when() = std::move(step);
    return;
  }
  const Method* method = step.has_call() ? FindMethod(methods, step.call()) : nullptr;
  if (method != nullptr && NeedsEviction(finding.kind)) {
    test.add_when()->set_evict(absl::StrCat(method->service, " ", finding.entity_id));
  }
  if (finding.kind == FindingKind::kHang) {
    *step.mutable_deadline() = base::ToDuration(deadline);
    *step.mutable_within() = base::ToDuration(deadline);
  }
  if (finding.expected.has_value()) ExpectOutcome(*finding.expected, step);
  *test.add_when() = std::move(step);
  if (finding.kind != FindingKind::kProtocol) return;
  if (method != nullptr && !finding.entity_id.empty()) {  // all that it says has come once its stream has ended
    test.add_when()->set_evict(absl::StrCat(method->service, " ", finding.entity_id));
  }
  test.add_then();  // that there are no complaints
}

}  // namespace

bool TestShows(const Finding& finding) {
  return finding.kind != FindingKind::kOpenStream && finding.kind != FindingKind::kMemory && !finding.needs_first_event;
}

dev::v1::TestFile MakeTestFile(const Played& played, const std::vector<Method>& methods, absl::Duration deadline,
                               const std::string& name) {
  dev::v1::TestFile file;
  const std::string service = OnlyService(played.sequence, methods);
  file.set_service(service);
  dev::v1::TestCase& test = *file.add_cases();
  test.set_name(name);
  for (std::size_t i = 0; i < played.sequence.size(); ++i) AddStep(played, i, methods, deadline, test);
  for (TestStep& step : *test.mutable_when()) Shorten(service, step);
  return file;
}

}  // namespace cloudstate::fuzzing
