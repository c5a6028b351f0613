// What must pass between our emulator and a user function that has event-sourced entities, and what clients must see.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/tck/case.h"
#include "emulator/tck/event_sourced_model.h"

namespace cloudstate::tck::event_sourced {
namespace {

constexpr char kProcess[] = "/cloudstate.tck.model.EventSourcedTckModel/Process";
constexpr char kCallConfigured[] = "/cloudstate.tck.model.EventSourcedConfigured/Call";
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
ExpectedPass Replayed(std::size_t call, std::int64_t sequence, const std::string& value) {
  return ToUserFunction(call, Event(sequence, value));
}
ExpectedPass Answered(std::size_t call, std::int64_t number, const Answer& answer) {
  return ToProxy(call, answer.To(number));
}

// ---- cases

void StateChanges(Driver& d) {
  Ask(d, "state", {}, "");
  Ask(d, "state", {Emit("a")}, "a");
  Ask(d, "state", {Emit("b"), Emit("c")}, "abc");
  Ask(d, "state", {}, "abc");
  d.ExpectOnWire({Opened(0, "state"), Commanded(0, 1, "state"), Answered(0, 1, Answer().Reply("")),
                  Commanded(0, 2, "state", {Emit("a")}), Answered(0, 2, Answer().Events({"a"}).Reply("a")),
                  Commanded(0, 3, "state", {Emit("b"), Emit("c")}),
                  Answered(0, 3, Answer().Events({"b", "c"}).Reply("abc")), Commanded(0, 4, "state"),
                  Answered(0, 4, Answer().Reply("abc"))});
}

void Snapshots(Driver& d) {
  const Actions four = {Emit("a"), Emit("b"), Emit("c"), Emit("d")};
  Ask(d, "snapshot", four, "abcd");
  Ask(d, "snapshot", {Emit("e"), Emit("f")}, "abcdef");
  Ask(d, "snapshot", {Emit("g")}, "abcdefg");
  AskToFail(d, "snapshot", {Emit("h"), FailWith("anew")}, "anew");
  Ask(d, "snapshot", {}, "abcdefg");
  In restored = InitWithSnapshot("snapshot", 6, "abcdef");
  d.ExpectOnWire({Opened(0, "snapshot"), Commanded(0, 1, "snapshot", four),
                  Answered(0, 1, Answer().Events({"a", "b", "c", "d"}).Reply("abcd")),
                  Commanded(0, 2, "snapshot", {Emit("e"), Emit("f")}),
                  Answered(0, 2, Answer().Events({"e", "f"}).Snapshot("abcdef").Reply("abcdef")),
                  Commanded(0, 3, "snapshot", {Emit("g")}), Answered(0, 3, Answer().Events({"g"}).Reply("abcdefg")),
                  Commanded(0, 4, "snapshot", {Emit("h"), FailWith("anew")}),
                  Answered(0, 4, Answer().Fail("anew", Restart::kYes)), HalfClosed(0), Ended(0),
                  ToUserFunction(1, restored), Replayed(1, 7, "g"), Commanded(1, 1, "snapshot"),
                  Answered(1, 1, Answer().Reply("abcdefg"))});
}

void Forwards(Driver& d) {
  Ask(d, "forward", {Emit("a"), ForwardTo("forwarded")}, "");
  d.ExpectOnWire({Opened(0, "forward"), Commanded(0, 1, "forward", {Emit("a"), ForwardTo("forwarded")}),
                  Answered(0, 1, Answer().Events({"a"}).Forward("forwarded")), Opened(1, "forwarded", kTwo),
                  CommandedTwo(1, 1, "forwarded"), Answered(1, 1, Answer().Reply(""))});
}

void Effects(Driver& d) {
  const Actions actions = {Emit("a"), EffectOn("affected"), EffectOn("affected")};
  Ask(d, "effects", actions, "a");
  d.ExpectOnWire({Opened(0, "effects"), Commanded(0, 1, "effects", actions),
                  Answered(0, 1, Answer().Events({"a"}).Effect("affected").Effect("affected").Reply("a")),
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
  const Actions failing = {EffectOn("never"), FailWith(kText)};
  AskToFail(d, "failure", failing, kText);
  Ask(d, "failure", {Emit("a")}, "a");
  d.ExpectOnWire({Opened(0, "failure"), Commanded(0, 1, "failure", failing), Answered(0, 1, Answer().Fail(kText)),
                  Commanded(0, 2, "failure", {Emit("a")}), Answered(0, 2, Answer().Events({"a"}).Reply("a"))});
}

void FailureWithRestart(Driver& d) {
  const Actions failing = {Emit("c"), FailWith("no c")};
  Ask(d, "restart", {Emit("a"), Emit("b")}, "ab");
  AskToFail(d, "restart", failing, "no c");
  d.ExpectOnWire({Opened(0, "restart"), Commanded(0, 1, "restart", {Emit("a"), Emit("b")}),
                  Answered(0, 1, Answer().Events({"a", "b"}).Reply("ab")), Commanded(0, 2, "restart", failing),
                  Answered(0, 2, Answer().Fail("no c", Restart::kYes)), HalfClosed(0), Ended(0), Opened(1, "restart"),
                  Replayed(1, 1, "a"), Replayed(1, 2, "b")});
  Ask(d, "restart", {}, "ab");
  d.ExpectOnWire({Commanded(1, 1, "restart"), Answered(1, 1, Answer().Reply("ab"))});
}

void Passivation(Driver& d) {
  for (std::size_t stream = 0; stream < 2; ++stream) {
    d.client().ExpectReply(kCallConfigured, Request("idle"), Response(""));
    d.ExpectOnWire({Opened(stream, "idle", kConfigured), CommandedTwo(stream, 1, "idle"),
                    Answered(stream, 1, Answer().Reply("")), HalfClosed(stream), Ended(stream)});
  }
}

void Http(Driver& d) {
  d.ExpectHttp({.target = "/tck/model/eventsourced/http",
                .body = R"({"actions":[{"emit":{"value":"x"}},{"emit":{"value":"y"}}]})"},
               {.body = R"({"message":"xy"})"});
  d.ExpectHttp({.target = kProcess, .body = R"({"id":"http"})"}, {.body = R"({"message":"xy"})"});
  d.ExpectOnWire({Opened(0, "http"), Commanded(0, 1, "http", {Emit("x"), Emit("y")}),
                  Answered(0, 1, Answer().Events({"x", "y"}).Reply("xy")), Commanded(0, 2, "http"),
                  Answered(0, 2, Answer().Reply("xy"))});
}

void HttpFailure(Driver& d) {
  d.ExpectHttp({.target = "/tck/model/eventsourced/http-failure",
                .body = R"({"actions":[{"fail":{"message":"100 % häßlich"}}]})"},
               {.status = 500, .body = "100 % häßlich", .content_type = "text/plain; charset=utf-8"});
  d.ExpectOnWire({Opened(0, "http-failure"), Commanded(0, 1, "http-failure", {FailWith("100 % häßlich")}),
                  Answered(0, 1, Answer().Fail("100 % häßlich"))});
}

}  // namespace

Section EmulatorSection() {
  Section section{"emulator/event-sourced", Part::kEmulator, {kModel}, {}};
  section.cases = {
      {"state-changes", "Commands are numbered, sent one by one and answered by the state.", StateChanges},
      {"snapshots", "A snapshot is kept, and what comes after it replayed.", Snapshots, "", "", Since::k0_2},
      {"forward", "A forward's outcome is the reply.", Forwards, "", kTwo},
      {"effects", "Side effects reach their entity in order.", Effects, "", kTwo},
      {"effects-synchronous", "Synchronous side effects end before what follows them begins.", SynchronousEffects, "",
       kTwo},
      {"failure", "A failure's text is verbatim, has no side effects, and keeps the stream.", FailureText},
      {"failure-with-restart", "A failure that asks for a restart has the entity replayed on a new stream.",
       FailureWithRestart, "", "", Since::k0_2},
      {"passivation", "An idle entity's stream is closed after its own timeout, and opened again.", Passivation, "",
       kConfigured, Since::k0_2},
      {"http", "HTTP routes, bodies and types are exact.", Http},
      {"http-failure", "A failure's text is the body.", HttpFailure},
  };
  return section;
}

}  // namespace cloudstate::tck::event_sourced
