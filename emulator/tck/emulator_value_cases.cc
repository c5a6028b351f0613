// What must pass between our emulator and a user function that has value entities, and what clients must see.

#include <string>
#include <vector>

#include "emulator/tck/case.h"
#include "emulator/tck/value_model.h"

namespace cloudstate::tck::value {
namespace {

constexpr char kProcess[] = "/cloudstate.tck.model.valueentity.ValueEntityTckModel/Process";
constexpr char kCallConfigured[] = "/cloudstate.tck.model.valueentity.ValueEntityConfigured/Call";
constexpr char kText[] = "100 % \"häßlich\"\tand\nmore";

void Ask(Driver& d, const std::string& id, const Actions& actions, const std::string& reply) {
  d.client().ExpectReply(kProcess, Request(id, actions), Response(reply));
}

void AskToFail(Driver& d, const std::string& id, const Actions& actions, const std::string& text) {
  d.client().ExpectFailure(kProcess, Request(id, actions), absl::StatusCode::kUnknown, text);
}

// ---- what passes

ExpectedPass Opened(std::size_t call, const std::string& id, const char* service = kModel) {
  return ToUserFunction(call, Init(service, id));
}
ExpectedPass Commanded(std::size_t call, std::int64_t number, const std::string& id, const Actions& actions = {}) {
  return ToUserFunction(call, Command(number, "Process", Request(id, actions)));
}
ExpectedPass CommandedTwo(std::size_t call, std::int64_t number, const std::string& id) {
  return ToUserFunction(call, Command(number, "Call", Request(id)));
}
ExpectedPass Answered(std::size_t call, std::int64_t number, const Answer& answer) {
  return ToProxy(call, answer.To(number));
}

// ---- cases

void StateChanges(Driver& d) {
  Ask(d, "state", {}, "");
  Ask(d, "state", {Update("a")}, "a");
  Ask(d, "state", {Update("b"), Update("c")}, "c");
  Ask(d, "state", {}, "c");
  d.ExpectOnWire({Opened(0, "state"), Commanded(0, 1, "state"), Answered(0, 1, Answer().Reply("")),
                  Commanded(0, 2, "state", {Update("a")}), Answered(0, 2, Answer().Updates("a").Reply("a")),
                  Commanded(0, 3, "state", {Update("b"), Update("c")}),
                  Answered(0, 3, Answer().Updates("c").Reply("c")), Commanded(0, 4, "state"),
                  Answered(0, 4, Answer().Reply("c"))});
}

void Deletes(Driver& d) {
  Ask(d, "deleted", {Update("a")}, "a");
  Ask(d, "deleted", {Delete()}, "");
  Ask(d, "deleted", {}, "");
  Ask(d, "deleted", {Update("b")}, "b");
  d.ExpectOnWire({Opened(0, "deleted"), Commanded(0, 1, "deleted", {Update("a")}),
                  Answered(0, 1, Answer().Updates("a").Reply("a")), Commanded(0, 2, "deleted", {Delete()}),
                  Answered(0, 2, Answer().Deletes().Reply("")), Commanded(0, 3, "deleted"),
                  Answered(0, 3, Answer().Reply("")), Commanded(0, 4, "deleted", {Update("b")}),
                  Answered(0, 4, Answer().Updates("b").Reply("b"))});
}

void Forwards(Driver& d) {
  Ask(d, "forward", {Update("a"), ForwardTo("forwarded")}, "");
  d.ExpectOnWire({Opened(0, "forward"), Commanded(0, 1, "forward", {Update("a"), ForwardTo("forwarded")}),
                  Answered(0, 1, Answer().Updates("a").Forward("forwarded")), Opened(1, "forwarded", kTwo),
                  CommandedTwo(1, 1, "forwarded"), Answered(1, 1, Answer().Reply(""))});
}

void Effects(Driver& d) {
  const Actions actions = {Update("a"), EffectOn("affected"), EffectOn("affected")};
  Ask(d, "effects", actions, "a");
  d.ExpectOnWire({Opened(0, "effects"), Commanded(0, 1, "effects", actions),
                  Answered(0, 1, Answer().Updates("a").Effect("affected").Effect("affected").Reply("a")),
                  Opened(1, "affected", kTwo), CommandedTwo(1, 1, "affected"), Answered(1, 1, Answer().Reply("")),
                  CommandedTwo(1, 2, "affected"), Answered(1, 2, Answer().Reply(""))});
}

void SynchronousEffects(Driver& d) {
  const Actions actions = {EffectOn("first", Mode::kSynchronous), EffectOn("second", Mode::kSynchronous),
                           ForwardTo("third")};
  Ask(d, "in-order", actions, "");
  d.ExpectOnWire(
      {Opened(0, "in-order"), Commanded(0, 1, "in-order", actions),
       Answered(0, 1,
                Answer().Effect("first", Mode::kSynchronous).Effect("second", Mode::kSynchronous).Forward("third")),
       Opened(1, "first", kTwo), CommandedTwo(1, 1, "first"), Answered(1, 1, Answer().Reply("")),
       Opened(2, "second", kTwo), CommandedTwo(2, 1, "second"), Answered(2, 1, Answer().Reply("")),
       Opened(3, "third", kTwo), CommandedTwo(3, 1, "third"), Answered(3, 1, Answer().Reply(""))});
}

void FailureText(Driver& d) {
  const Actions failing = {Update("b"), EffectOn("never"), FailWith(kText)};
  Ask(d, "failure", {Update("a")}, "a");
  AskToFail(d, "failure", failing, kText);
  Ask(d, "failure", {}, "a");
  d.ExpectOnWire({Opened(0, "failure"), Commanded(0, 1, "failure", {Update("a")}),
                  Answered(0, 1, Answer().Updates("a").Reply("a")), Commanded(0, 2, "failure", failing),
                  Answered(0, 2, Answer().Fail(kText)), Commanded(0, 3, "failure"),
                  Answered(0, 3, Answer().Reply("a"))});
}

void Passivation(Driver& d) {
  for (std::size_t stream = 0; stream < 2; ++stream) {
    d.client().ExpectReply(kCallConfigured, Request("idle"), Response(""));
    d.ExpectOnWire({Opened(stream, "idle", kConfigured), CommandedTwo(stream, 1, "idle"),
                    Answered(stream, 1, Answer().Reply("")), HalfClosed(stream), Ended(stream)});
  }
}

void Http(Driver& d) {
  d.ExpectHttp({.target = "/tck/model/entity/http", .body = R"({"actions":[{"update":{"value":"x"}}]})"},
               {.body = R"({"message":"x"})"});
  d.ExpectHttp({.target = "/tck/model/entity/http", .body = R"({"actions":[{"delete":{}}]})"},
               {.body = R"({"message":""})"});
  d.ExpectOnWire({Opened(0, "http"), Commanded(0, 1, "http", {Update("x")}),
                  Answered(0, 1, Answer().Updates("x").Reply("x")), Commanded(0, 2, "http", {Delete()}),
                  Answered(0, 2, Answer().Deletes().Reply(""))});
}

void HttpFailure(Driver& d) {
  d.ExpectHttp(
      {.target = "/tck/model/entity/http-failure", .body = R"({"actions":[{"fail":{"message":"100 % häßlich"}}]})"},
      {.status = 500, .body = "100 % häßlich", .content_type = "text/plain; charset=utf-8"});
  d.ExpectOnWire({Opened(0, "http-failure"), Commanded(0, 1, "http-failure", {FailWith("100 % häßlich")}),
                  Answered(0, 1, Answer().Fail("100 % häßlich"))});
}

}  // namespace

Section EmulatorSection() {
  Section section{"emulator/value", Part::kEmulator, {kModel}, {}};
  section.cases = {
      {"state-changes", "Commands are numbered, sent one by one and answered by the state.", StateChanges},
      {"delete", "A deleted entity is empty, on the same stream, and can be used again.", Deletes},
      {"forward", "A forward's outcome is the reply.", Forwards, "", kTwo},
      {"effects", "Side effects reach their entity in order.", Effects, "", kTwo},
      {"effects-synchronous", "Synchronous side effects end before what follows them begins.", SynchronousEffects, "",
       kTwo},
      {"failure", "A failure's text is verbatim, changes nothing, and keeps the stream.", FailureText},
      {"passivation", "An idle entity's stream is closed after its own timeout, and opened again.", Passivation, "",
       kConfigured},
      {"http", "HTTP routes, bodies and types are exact.", Http},
      {"http-failure", "A failure's text is the body.", HttpFailure},
  };
  return section;
}

}  // namespace cloudstate::tck::value
