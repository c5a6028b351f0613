// What a user function must declare, and how it must answer a proxy that asks.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/tck/action_model.h"
#include "emulator/tck/case.h"
#include "emulator/tck/crdt_model.h"
#include "emulator/tck/discover.h"
#include "emulator/tck/event_sourced_model.h"
#include "emulator/tck/value_model.h"
#include "emulator/userfunction/specification.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/empty.pb.h"

namespace cloudstate::tck::discovery {
namespace {

constexpr char kReportError[] = "/cloudstate.EntityDiscovery/reportError";

// A service of the model as it is to be declared.
struct Declaration {
  std::string id;  // in the cases' ids
  std::string service;
  std::string entity_type;
  std::string persistence_id = {};            // empty: whatever it is
  std::int64_t passivation_milliseconds = 0;  // 0: none of its own
};

constexpr char kEventSourced[] = "cloudstate.eventsourced.EventSourced";
constexpr char kValueEntity[] = "cloudstate.valueentity.ValueEntity";
constexpr char kCrdt[] = "cloudstate.crdt.Crdt";
constexpr char kAction[] = "cloudstate.action.ActionProtocol";

std::string TextOf(const std::string& type, const std::string& persistence_id, std::int64_t milliseconds) {
  return absl::StrCat("entity_type: ", type, "\npersistence_id: ", persistence_id,
                      "\npassivation_strategy: ", milliseconds == 0 ? "none" : absl::StrCat(milliseconds, " ms"), "\n");
}

void ExpectDeclared(Driver& driver, Declaration expected) {
  if (driver.dialect() == userfunction::Dialect::k0_1) {
    if (expected.entity_type == kAction) expected.entity_type = "cloudstate.function.StatelessFunction";
    expected.passivation_milliseconds = 0;
  }
  for (const cloudstate::Entity& entity : driver.specification().entities()) {
    if (entity.service_name() != expected.service) continue;
    const std::string& id = expected.persistence_id.empty() ? expected.persistence_id : entity.persistence_id();
    const std::string declared = TextOf(entity.entity_type(), id, entity.passivation_strategy().timeout().timeout());
    const std::string wanted = TextOf(expected.entity_type, expected.persistence_id, expected.passivation_milliseconds);
    if (wanted == declared) return;
    throw CaseFailure{absl::StrCat(expected.service, " is declared in another way."), CompareLines(wanted, declared)};
  }
}

Case Declared(const Declaration& expected) {
  return {absl::StrCat("declares-", expected.id), absl::StrCat(expected.service, " is declared as the model has it."),
          [expected](Driver& d) { ExpectDeclared(d, expected); },
          "Services, their kinds and their persistence ids are part of the model: what is stored is found by them.",
          expected.service};
}

void ExpectServable(Driver& driver) {
  const auto specification =
      userfunction::ParseSpecification(Discover(driver.user_function()), std::nullopt, userfunction::VersionCheck::kOn);
  if (!specification.ok()) {
    throw CaseFailure{absl::StrCat("No proxy can serve what is declared: ", specification.status().message())};
  }
}

// The model's own descriptors, as lines: what must be found in what the user function reports.
std::string MethodLines(const google::protobuf::ServiceDescriptor& service) {
  std::string lines;
  for (int i = 0; i < service.method_count(); ++i) {
    const auto& method = *service.method(i);
    absl::StrAppend(&lines, method.name(), "(", method.client_streaming() ? "stream " : "",
                    method.input_type()->full_name(), ") returns (", method.server_streaming() ? "stream " : "",
                    method.output_type()->full_name(), ")\n");
  }
  return lines;
}

void ExpectMethods(Driver& driver) {
  const auto specification =
      userfunction::ParseSpecification(driver.specification(), std::nullopt, userfunction::VersionCheck::kOff);
  if (!specification.ok()) throw CaseFailure{std::string(specification.status().message())};
  for (const google::protobuf::ServiceDescriptor* service : (*specification)->SortedServices()) {
    const auto* ours = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service->full_name());
    if (ours == nullptr) continue;
    const std::string expected = MethodLines(*ours);
    const std::string declared = MethodLines(*service);
    if (expected == declared) continue;
    throw CaseFailure{absl::StrCat("The methods of ", service->full_name(), " are not the model's."),
                      CompareLines(expected, declared)};
  }
}

void ExpectVersion(Driver& driver) {
  const ServiceInfo& info = driver.specification().service_info();
  const bool old = info.protocol_major_version() == 0 && info.protocol_minor_version() <= 1;
  if (old || (info.protocol_major_version() == 0 && info.protocol_minor_version() == 2)) return;
  throw CaseFailure{
      "No proxy speaks the protocol version that is reported.",
      CompareLines("0.2", absl::StrCat(info.protocol_major_version(), ".", info.protocol_minor_version()))};
}

void ExpectSameTwice(Driver& driver) {
  const EntitySpec first = Discover(driver.user_function());
  const EntitySpec second = Discover(driver.user_function());
  const auto services = [](const EntitySpec& spec) {
    return absl::StrCat(absl::StrJoin(spec.entities(), "\n",
                                      [](std::string* out, const cloudstate::Entity& entity) {
                                        absl::StrAppend(out, entity.ShortDebugString());
                                      }),
                        "\n", spec.service_info().ShortDebugString(), "\n");
  };
  if (services(first) == services(second) && first.proto().size() == second.proto().size()) return;
  throw CaseFailure{"The second answer is not the first one.", CompareLines(services(first), services(second))};
}

void ExpectErrorIsTaken(Driver& driver) {
  UserFunctionError error;
  error.set_message("This is only a test: the conformance kit reports an error that is none.");
  driver.user_function().ExpectReply(kReportError, error, google::protobuf::Empty());
}

void ExpectUniqueServices(Driver& driver) {
  std::map<std::string, int> times;
  for (const cloudstate::Entity& entity : driver.specification().entities()) ++times[entity.service_name()];
  for (const auto& [service, count] : times) {
    if (count > 1) throw CaseFailure{absl::StrCat(service, " is declared ", count, " times.")};
  }
}

// Of each kind of the model all services are declared, or none.
void ExpectWholeKinds(Driver& driver) {
  const std::vector<std::vector<std::string>> kinds = {
      {event_sourced::Kind::kModel, event_sourced::Kind::kTwo, event_sourced::Kind::kConfigured},
      {value::Kind::kModel, value::Kind::kTwo, value::Kind::kConfigured},
      {actions::kModel, actions::kTwo},
      {crdts::Kind::kModel, crdts::Kind::kTwo, crdts::Kind::kConfigured}};
  std::set<std::string> declared;
  for (const cloudstate::Entity& entity : driver.specification().entities()) declared.insert(entity.service_name());
  for (const std::vector<std::string>& kind : kinds) {
    std::string missing;
    std::string there;
    for (const std::string& service : kind) (declared.contains(service) ? there : missing) += service + "\n";
    if (there.empty() || missing.empty()) continue;
    throw CaseFailure{"A part of the model is declared, but not all of it.",
                      CompareLines(absl::StrJoin(kind, "\n"), there)};
  }
}

void ExpectName(Driver& driver) {
  if (driver.specification().service_info().service_name().empty()) {
    throw CaseFailure{"The service info has no service_name."};
  }
}

}  // namespace

Section DirectSection() {
  Section section{"discovery", Part::kDirect, {}, {}};
  section.cases = {
      {"servable", "What is declared can be served: services are in the descriptors, entities have keys.",
       ExpectServable},
      {"protocol-version", "The protocol version is one that proxies speak.", ExpectVersion,
       "service_info's protocol_major_version and protocol_minor_version; libraries of 0.1 leave them unset."},
      {"same-answer-twice", "A proxy that asks again gets the same answer.", ExpectSameTwice},
      {"service-name", "The user function says what it is called.", ExpectName, "", "", Since::k0_2},
      {"whole-model", "Of each kind of the model all services are declared, or none.", ExpectWholeKinds,
       "Forwards and side effects of the model go to its second service."},
      {"services-once", "No service is declared twice.", ExpectUniqueServices},
      {"report-error", "An error that the proxy reports is taken.", ExpectErrorIsTaken,
       "EntityDiscovery.reportError answers google.protobuf.Empty."},
      {"methods", "The model's services have the model's methods.", ExpectMethods},
      Declared({"event-sourced-model", event_sourced::Kind::kModel, kEventSourced, "event-sourced-tck-model"}),
      Declared({"event-sourced-two", event_sourced::Kind::kTwo, kEventSourced}),
      Declared({"event-sourced-configured", event_sourced::Kind::kConfigured, kEventSourced, "event-sourced-configured",
                100}),
      Declared({"value-model", value::Kind::kModel, kValueEntity, "value-entity-tck-model"}),
      Declared({"value-two", value::Kind::kTwo, kValueEntity}),
      Declared({"value-configured", value::Kind::kConfigured, kValueEntity, "value-entity-configured", 100}),
      Declared({"action-model", actions::kModel, kAction}),
      Declared({"action-two", actions::kTwo, kAction}),
      Declared({"crdt-model", crdts::Kind::kModel, kCrdt}),
      Declared({"crdt-two", crdts::Kind::kTwo, kCrdt}),
      Declared({"crdt-configured", crdts::Kind::kConfigured, kCrdt, "", 100}),
  };
  return section;
}

}  // namespace cloudstate::tck::discovery
