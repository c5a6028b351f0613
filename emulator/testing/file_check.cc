#include "emulator/testing/file_check.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "emulator/base/status_codes.h"
#include "emulator/testing/field_check.h"
#include "emulator/testing/matchers.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::testing {
namespace {

using dev::v1::GivenEntity;
using dev::v1::TestCase;
using dev::v1::TestCheck;
using dev::v1::TestFile;
using dev::v1::TestStep;
using google::protobuf::Descriptor;
using simulation::YamlPlaces;

// Runs checks until one fails.
template <class Range, class Check>
absl::Status ForAll(const Range& range, const Check& check) {
  for (const auto& each : range) {
    if (absl::Status status = check(each); !status.ok()) return status;
  }
  return absl::OkStatus();
}

bool IsCall(const TestStep& step) { return step.kind_case() == TestStep::kCall || step.kind_case() == TestStep::kHttp; }

// ---- by itself

class FormCheck {
 public:
  FormCheck(const TestFile& file, const YamlPlaces& places) : file_(file), places_(places) {}

  absl::Status Check() const {
    if (file_.cases().empty()) return places_.Error(places_.Of(file_), "there are no cases in this file");
    if (absl::Status status = ForAll(file_.before(), [&](const auto& each) { return Step(each); }); !status.ok()) {
      return status;
    }
    std::map<std::string, int> lines;
    return ForAll(file_.cases(), [&](const TestCase& each) -> absl::Status {
      const auto place = places_.Of(each, TestCase::kNameFieldNumber);
      if (each.name().empty()) return places_.Error(place, "this case has no name");
      const auto [before, first] = lines.try_emplace(each.name(), place.line);
      if (first) return Case(each);
      return places_.Error(place, absl::StrCat("there is a case with this name in line ", before->second));
    });
  }

 private:
  absl::Status Case(const TestCase& each) const {
    if (each.skip().empty() && each.when().empty() && each.then().empty()) {
      return places_.Error(places_.Of(each), "this case looks at nothing: it needs 'when' or 'then'");
    }
    absl::Status status = ForAll(each.given(), [&](const auto& given) { return Given(given); });
    if (status.ok()) status = ForAll(each.when(), [&](const auto& step) { return Step(step); });
    if (status.ok()) status = ForAll(each.then(), [&](const auto& check) { return Then(check); });
    return status;
  }

  absl::Status Typed(const Json& value) const { return ReadTypedMessage(value, places_).status(); }
  absl::Status ExpectedTyped(const Json& value) const {
    if (absl::Status status = CheckMatchers(value, places_); !status.ok()) return status;
    return ForAll(Alternatives(value), [&](const Json* each) { return Typed(*each); });
  }

  absl::Status Given(const GivenEntity& given) const {
    if (given.entity().empty() && !places_.IsGiven(given, GivenEntity::kEntityFieldNumber)) {
      return places_.Error(places_.Of(given), "'entity' must say which entity is given");
    }
    absl::Status status = ForAll(given.events(), [&](const Json& each) { return Typed(each); });
    if (status.ok() && given.has_value()) status = Typed(given.value());
    if (status.ok() && given.has_snapshot()) status = Typed(given.snapshot());
    if (status.ok() && given.has_value() && !given.events().empty()) {
      return places_.Error(places_.Of(given, GivenEntity::kValueFieldNumber),
                           "'value' stands in place of 'events', not beside them");
    }
    return status;
  }

  absl::Status Step(const TestStep& step) const {
    if (step.kind_case() == TestStep::KIND_NOT_SET) {
      return places_.Error(places_.Of(step), "this step does nothing: it needs 'call', 'http' or another thing to do");
    }
    if (absl::Status status = Fields(step); !status.ok()) return status;
    if (step.kind_case() == TestStep::kHttp && !absl::StrContains(step.http(), " /")) {
      return places_.Error(places_.Of(step, TestStep::kHttpFieldNumber),
                           absl::StrCat("'", step.http(), "' is no method and path such as GET /carts/me"));
    }
    return Expected(step);
  }

  // What stands beside a step that has no use for it.
  absl::Status Fields(const TestStep& step) const {
    const auto misplaced = [&](int number, const char* with) {
      return places_.Error(
          places_.Of(step, number),
          absl::StrCat("'", TestStep::descriptor()->FindFieldByNumber(number)->name(), "' goes with ", with, " only"));
    };
    for (int i = 0; i < TestStep::descriptor()->field_count(); ++i) {
      const auto* field = TestStep::descriptor()->field(i);
      constexpr int kFirstOfCalls = TestStep::kInputFieldNumber;
      if (field->number() >= kFirstOfCalls && !IsCall(step) && places_.IsGiven(step, field->number())) {
        return misplaced(field->number(), "'call' and 'http'");
      }
    }
    if (step.kind_case() == TestStep::kHttp && step.has_error())
      return misplaced(TestStep::kErrorFieldNumber, "'call'");
    if (step.kind_case() == TestStep::kCall && step.status() != 0)
      return misplaced(TestStep::kStatusFieldNumber, "'http'");
    if (step.has_reply() && places_.IsGiven(step, TestStep::kRepliesFieldNumber)) {
      return places_.Error(places_.Of(step, TestStep::kRepliesFieldNumber),
                           "'reply' and 'replies' exclude each other: one message is expected, or all of a stream");
    }
    return Headers(step);
  }

  absl::Status Headers(const TestStep& step) const {
    const Json& headers = step.response_headers();
    if (!step.has_response_headers()) return absl::OkStatus();
    if (!headers.struct_value().fields().empty() && !IsMappedMatchers(headers)) return absl::OkStatus();
    return places_.Error(places_.Of(headers), "'response_headers' takes names with values, as in {etag: $any}");
  }

  absl::Status Expected(const TestStep& step) const {
    std::vector<const Json*> values;
    if (step.has_reply()) values.push_back(&step.reply());
    for (const Json& each : step.replies()) values.push_back(&each);
    if (step.error().has_message()) values.push_back(&step.error().message());
    if (step.has_response_headers()) values.push_back(&step.response_headers());
    for (const auto& effect : step.effects()) values.push_back(&effect.input());
    if (step.has_forward()) values.push_back(&step.forward().input());
    absl::Status status = ForAll(values, [&](const Json* each) { return CheckMatchers(*each, places_); });
    if (status.ok()) status = ForAll(step.events(), [&](const Json& each) { return ExpectedTyped(each); });
    if (status.ok() && !step.error().code().empty() && !base::CodeOf(step.error().code()).has_value()) {
      return places_.Error(places_.Of(step.error(), dev::v1::ExpectedError::kCodeFieldNumber),
                           base::NoSuchCode(step.error().code()));
    }
    return status;
  }

  absl::Status NoEntity(const TestCheck& check) const {
    return places_.Error(places_.Of(check), "'entity' must say which entity is looked at");
  }

  // Those alone, without an entity.
  absl::Status Complaints(const TestCheck& check) const {
    for (int i = 0; i < TestCheck::descriptor()->field_count(); ++i) {
      const int number = TestCheck::descriptor()->field(i)->number();
      if (number != TestCheck::kComplaintsFieldNumber && places_.IsGiven(check, number)) return NoEntity(check);
    }
    return ForAll(check.complaints(), [&](const Json& each) { return CheckMatchers(each, places_); });
  }

  absl::Status Then(const TestCheck& check) const {
    const bool of_complaints = !check.complaints().empty() || places_.IsGiven(check, TestCheck::kComplaintsFieldNumber);
    if (check.entity().empty()) return of_complaints ? Complaints(check) : NoEntity(check);
    absl::Status status = ForAll(check.complaints(), [&](const Json& each) { return CheckMatchers(each, places_); });
    if (status.ok()) status = ForAll(check.events(), [&](const Json& each) { return ExpectedTyped(each); });
    if (status.ok()) status = CheckMatchers(check.state(), places_);
    if (status.ok()) status = CheckMatchers(check.reply(), places_);
    const bool of_snapshot = check.has_snapshot() && !IsTextMatcher(check.snapshot(), kAbsent);
    if (status.ok() && of_snapshot) status = ExpectedTyped(check.snapshot());
    const bool of_events = places_.IsGiven(check, TestCheck::kEventsFieldNumber) || !check.events().empty();
    if (status.ok() && check.replay().empty() && (check.has_reply() || check.has_input())) {
      return places_.Error(places_.Of(check), "'input' and 'reply' go with 'replay', a method's name");
    }
    if (status.ok() && !of_complaints && !of_events && !check.has_state() && !check.has_snapshot() &&
        check.replay().empty()) {
      return places_.Error(places_.Of(check), absl::StrCat("nothing is looked at of '", check.entity(),
                                                           "': write 'events', 'state', 'snapshot' or 'replay'"));
    }
    return status;
  }

  const TestFile& file_;
  const YamlPlaces& places_;
};

// ---- against the user function

class NameCheck {
 public:
  NameCheck(const TestFile& file, const YamlPlaces& places, const KnownTypes& types)
      : file_(file), places_(places), types_(types) {}

  absl::Status Check() const {
    if (!file_.service().empty()) {
      const auto service = types_.FindService(file_.service());
      if (!service.ok()) return At(places_.Of(file_, TestFile::kServiceFieldNumber), service.status());
    }
    absl::Status status = ForAll(file_.before(), [&](const auto& each) { return Step(each); });
    if (!status.ok()) return status;
    return ForAll(file_.cases(), [&](const TestCase& each) {
      absl::Status found = ForAll(each.given(), [&](const auto& given) { return Given(given); });
      if (found.ok()) found = ForAll(each.when(), [&](const auto& step) { return Step(step); });
      if (found.ok()) found = ForAll(each.then(), [&](const auto& check) { return Then(check); });
      return found;
    });
  }

 private:
  absl::Status At(YamlPlaces::Place place, const absl::Status& status) const {
    return status.ok() ? status : places_.Error(place, std::string(status.message()));
  }

  absl::Status ExpectedTyped(const Json& value) const {
    return ForAll(Alternatives(value), [&](const Json* each) { return Typed(*each, Written::kExpected); });
  }

  enum class Written { kToBeStored, kExpected };
  absl::Status Typed(const Json& value, Written written) const {
    const auto typed = ReadTypedMessage(value, places_);
    if (!typed.ok()) return typed.status();
    const auto type = types_.FindType(typed->type);
    if (!type.ok()) return At(places_.Of(value), type.status());
    return written == Written::kToBeStored ? Message(*typed->message, *type) : Fields(*typed->message, *type);
  }
  absl::Status Stored(const Json& value) const { return Typed(value, Written::kToBeStored); }

  absl::Status Given(const GivenEntity& given) const {
    const auto service = types_.FindEntityService(given.service(), file_.service());
    if (!service.ok()) return At(places_.Of(given), service.status());
    const auto kind = userfunction::KindOf((*service)->entity_type());
    const bool has_events = !given.events().empty() || given.has_snapshot();
    if (kind == userfunction::EntityKind::kEventSourced && given.has_value()) {
      return places_.Error(places_.Of(given, GivenEntity::kValueFieldNumber),
                           absl::StrCat("an entity of ", (*service)->name(), " has 'events', and no 'value'"));
    }
    if (kind == userfunction::EntityKind::kValueEntity && has_events) {
      const int field = given.events().empty() ? GivenEntity::kSnapshotFieldNumber : GivenEntity::kEventsFieldNumber;
      return places_.Error(places_.Of(given, field),
                           absl::StrCat("an entity of ", (*service)->name(), " has a 'value' only"));
    }
    absl::Status status = ForAll(given.events(), [&](const Json& each) { return Stored(each); });
    if (status.ok() && given.has_value()) status = Stored(given.value());
    if (status.ok() && given.has_snapshot()) status = Stored(given.snapshot());
    return status;
  }

  // Of what is expected. No type: it is not known.
  absl::Status Fields(const Json& value, const Descriptor* type) const {
    if (type == nullptr) return absl::OkStatus();
    const auto problem = FindFieldProblem(value, *type);
    return problem ? places_.Error(places_.Of(*problem->at), problem->text) : absl::OkStatus();
  }
  absl::Status Fields(const Json& value, const std::string& type_name) const {
    return Fields(value, types_.TypeOf(type_name));
  }

  // Of what is stored or sent as it is written, without matchers.
  absl::Status Message(const Json& value, const Descriptor* type) const {
    absl::Status status = Fields(value, type);
    if (!status.ok() || type == nullptr) return status;
    status = types_.Encode(value, *type).status();
    if (status.ok()) return status;
    const absl::string_view problem = absl::StripPrefix(status.message(), ": ");  // where it names no field
    return places_.Error(places_.Of(value), absl::StrCat("this is no ", type->name(), ": ", problem));
  }
  absl::Status Input(const Json& value, const dev::v1::Method& method) const {
    return Message(value, types_.TypeOf(method.input_type()));
  }

  absl::Status Step(const TestStep& step) const {
    absl::Status status = absl::OkStatus();
    if (step.kind_case() == TestStep::kCall) status = Call(step);
    if (step.kind_case() == TestStep::kEvict) {
      const NamedEntity named = ReadNamedEntity(step.evict());
      status = At(places_.Of(step), types_.FindEntityService(named.service, file_.service()).status());
    }
    if (status.ok()) status = ForAll(step.events(), [&](const Json& each) { return ExpectedTyped(each); });
    if (status.ok()) status = ForAll(step.effects(), [&](const auto& each) { return Command(each); });
    if (status.ok() && step.has_forward()) status = Command(step.forward());
    return status;
  }

  absl::Status Call(const TestStep& step) const {
    const auto found = types_.FindMethod(step.call(), file_.service());
    if (!found.ok()) return At(places_.Of(step, TestStep::kCallFieldNumber), found.status());
    const dev::v1::Method& method = *found->method;
    if (step.has_input() && method.client_streaming()) {
      return places_.Error(places_.Of(step, TestStep::kInputFieldNumber),
                           absl::StrCat(method.name(), " takes a stream of messages: write 'inputs', a list"));
    }
    if (!step.inputs().empty() && !method.client_streaming()) {
      return places_.Error(places_.Of(step, TestStep::kInputsFieldNumber),
                           absl::StrCat(method.name(), " takes one message: write 'input'"));
    }
    if (step.has_reply() && method.server_streaming()) {
      return places_.Error(places_.Of(step, TestStep::kReplyFieldNumber),
                           absl::StrCat(method.name(), " answers with a stream: write 'replies', a list"));
    }
    absl::Status status = Input(step.input(), method);
    if (status.ok()) status = ForAll(step.inputs(), [&](const Json& each) { return Input(each, method); });
    if (status.ok()) status = Fields(step.reply(), method.output_type());
    if (status.ok()) {
      status = ForAll(step.replies(), [&](const Json& each) { return Fields(each, method.output_type()); });
    }
    return status;
  }

  absl::Status Command(const dev::v1::ExpectedCommand& command) const {
    const auto found = types_.FindMethod(command.call(), file_.service());
    if (!found.ok()) return At(places_.Of(command), found.status());
    return Fields(command.input(), found->method->input_type());
  }

  absl::Status Then(const TestCheck& check) const {
    if (check.entity().empty()) return absl::OkStatus();  // it is about the user function
    const auto service = types_.FindEntityService(check.service(), file_.service());
    if (!service.ok()) return At(places_.Of(check), service.status());
    absl::Status status = ForAll(check.events(), [&](const Json& each) { return ExpectedTyped(each); });
    const bool of_snapshot = check.has_snapshot() && !IsTextMatcher(check.snapshot(), kAbsent);
    if (status.ok() && of_snapshot) status = ExpectedTyped(check.snapshot());
    if (status.ok() && check.has_state() &&
        userfunction::KindOf((*service)->entity_type()) == userfunction::EntityKind::kEventSourced) {
      return places_.Error(places_.Of(check, TestCheck::kStateFieldNumber),
                           "only the user function knows the state of an event-sourced entity: "
                           "look at its 'events', or at what it answers to a 'replay'");
    }
    if (!status.ok() || check.replay().empty()) return status;
    const auto found = types_.FindMethod(check.replay(), (*service)->name());
    if (!found.ok()) return At(places_.Of(check, TestCheck::kReplayFieldNumber), found.status());
    status = Input(check.input(), *found->method);
    return status.ok() ? Fields(check.reply(), found->method->output_type()) : status;
  }

  const TestFile& file_;
  const YamlPlaces& places_;
  const KnownTypes& types_;
};

}  // namespace

absl::Status CheckForm(const TestFile& file, const YamlPlaces& places) { return FormCheck(file, places).Check(); }

absl::Status CheckNames(const TestFile& file, const YamlPlaces& places, const KnownTypes& types) {
  return NameCheck(file, places, types).Check();
}

absl::StatusOr<TypedMessage> ReadTypedMessage(const Json& value, const YamlPlaces& places) {
  if (value.has_string_value()) return TypedMessage{value.string_value(), &Json::default_instance()};
  if (value.struct_value().fields().size() == 1) {
    const auto& [type, message] = *value.struct_value().fields().begin();
    return TypedMessage{type, &message};
  }
  return places.Error(places.Of(value), "a message is written with its type, as in {ItemAdded: {quantity: 1}}");
}

NamedEntity ReadNamedEntity(const std::string& text) {
  const std::size_t space = text.find(' ');
  if (space == std::string::npos) return {"", text};
  return {text.substr(0, space), text.substr(space + 1)};
}

}  // namespace cloudstate::testing
