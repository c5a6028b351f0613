// What must pass between our emulator and a user function that has actions, and what clients must see.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/tck/action_model.h"
#include "emulator/tck/case.h"

namespace cloudstate::tck::actions {
namespace {

constexpr char kText[] = "100 % \"häßlich\"\tand\nmore";

std::string Path(const std::string& method) { return absl::StrCat("/", kModel, "/", method); }

// ---- what passes

ExpectedPass Called(std::size_t call, const std::string& method, const Groups& groups) {
  return ToUserFunction(call, Command(kModel, method, Request(groups)));
}
ExpectedPass CalledTwo(std::size_t call, const std::string& id) {
  return ToUserFunction(call, Command(kTwo, "Call", OtherRequest(id)));
}
ExpectedPass Opened(std::size_t call, const std::string& method) { return ToUserFunction(call, Opening(method)); }
ExpectedPass Sent(std::size_t call, const Groups& groups) { return ToUserFunction(call, Payload(Request(groups))); }
ExpectedPass Answered(std::size_t call, const Answer& answer) { return ToProxy(call, answer.message()); }

// ---- unary

void UnaryReply(Driver& d) {
  const Groups groups = {{ReplyWith("a")}};
  d.client().ExpectReply(Path("ProcessUnary"), Request(groups), Response("a"));
  d.ExpectOnWire({Called(0, "ProcessUnary", groups), Answered(0, Answer().Reply("a"))});
}

void UnaryForward(Driver& d) {
  const Groups groups = {{ForwardTo("x")}};
  d.client().ExpectReply(Path("ProcessUnary"), Request(groups), Response(""));
  d.ExpectOnWire({Called(0, "ProcessUnary", groups), Answered(0, Answer().Forward("x")), CalledTwo(1, "x"),
                  Answered(1, Answer().Reply(""))});
}

void UnaryEffects(Driver& d) {
  const Groups groups = {{EffectOn("x", Mode::kSynchronous), EffectOn("y", Mode::kSynchronous), ReplyWith("a")}};
  d.client().ExpectReply(Path("ProcessUnary"), Request(groups), Response("a"));
  d.ExpectOnWire({Called(0, "ProcessUnary", groups),
                  Answered(0, Answer().Effect("x", Mode::kSynchronous).Effect("y", Mode::kSynchronous).Reply("a")),
                  CalledTwo(1, "x"), Answered(1, Answer().Reply("")), CalledTwo(2, "y"),
                  Answered(2, Answer().Reply(""))});
}

void UnaryNoReply(Driver& d) {
  const Groups groups = {{EffectOn("x", Mode::kSynchronous)}};
  d.client().ExpectFailure(Path("ProcessUnary"), Request(groups), absl::StatusCode::kInternal, "");
  d.ExpectOnWire({Called(0, "ProcessUnary", groups), Answered(0, Answer().Effect("x", Mode::kSynchronous)),
                  CalledTwo(1, "x"), Answered(1, Answer().Reply(""))});
}

void UnaryFailure(Driver& d) {
  const Groups groups = {{FailWith(kText)}};
  d.client().ExpectFailure(Path("ProcessUnary"), Request(groups), absl::StatusCode::kUnknown, kText);
  d.ExpectOnWire({Called(0, "ProcessUnary", groups), Answered(0, Answer().Fail(kText))});
}

void UnaryHttp(Driver& d) {
  d.ExpectHttp({.target = "/tck/model/action/unary", .body = R"({"groups":[{"steps":[{"reply":{"message":"a"}}]}]})"},
               {.body = R"({"message":"a"})"});
  d.ExpectHttp({.target = "/tck/model/action/unary", .body = R"({"groups":[{"steps":[{"fail":{"message":"no"}}]}]})"},
               {.status = 500, .body = "no", .content_type = "text/plain; charset=utf-8"});
  d.ExpectOnWire({Called(0, "ProcessUnary", {{ReplyWith("a")}}), Answered(0, Answer().Reply("a")),
                  Called(1, "ProcessUnary", {{FailWith("no")}}), Answered(1, Answer().Fail("no"))});
}

// ---- streams

void StreamedIn(Driver& d) {
  const Groups one = {{ReplyWith("a")}};
  const Groups other = {{ReplyWith("b")}};
  WireStream& stream = d.client().Open(Path("ProcessStreamedIn"));
  stream.Send(Request(one));
  stream.Send(Request(other));
  stream.HalfClose();
  stream.Expect(Response("b"));
  stream.ExpectEnd();
  d.ExpectOnWire(
      {Opened(0, "ProcessStreamedIn"), Sent(0, one), Sent(0, other), HalfClosed(0), Answered(0, Answer().Reply("b"))});
}

void StreamedInFailure(Driver& d) {
  WireStream& stream = d.client().Open(Path("ProcessStreamedIn"));
  stream.Send(Request({{FailWith(kText)}}));
  stream.HalfClose();
  stream.ExpectEnd(absl::StatusCode::kUnknown, kText);
  d.ExpectOnWire(
      {Opened(0, "ProcessStreamedIn"), Sent(0, {{FailWith(kText)}}), HalfClosed(0), Answered(0, Answer().Fail(kText))});
}

WireStream& OpenStreamedOut(Driver& d, const Groups& groups) {
  WireStream& stream = d.client().Open(Path("ProcessStreamedOut"));
  stream.Send(Request(groups));
  stream.HalfClose();
  return stream;
}

void StreamedOut(Driver& d) {
  const Groups groups = {{ReplyWith("a")}, {}, {ReplyWith("b")}};
  WireStream& stream = OpenStreamedOut(d, groups);
  stream.Expect(Response("a"));
  stream.Expect(Response("b"));
  stream.ExpectEnd();
  d.ExpectOnWire({Called(0, "ProcessStreamedOut", groups), Answered(0, Answer().Reply("a")), Answered(0, Answer()),
                  Answered(0, Answer().Reply("b")), Ended(0)});
}

void StreamedOutFailure(Driver& d) {
  const Groups groups = {{ReplyWith("a")}, {FailWith(kText)}};
  WireStream& stream = OpenStreamedOut(d, groups);
  stream.Expect(Response("a"));
  stream.ExpectEnd(absl::StatusCode::kUnknown, kText);
  d.ExpectOnWire(
      {Called(0, "ProcessStreamedOut", groups), Answered(0, Answer().Reply("a")), Answered(0, Answer().Fail(kText))});
  d.IgnoreRestOnWire();  // the user function may be done before the emulator can cancel the call
}

void Streamed(Driver& d) {
  const Groups one = {{ReplyWith("a")}};
  const Groups other = {{ReplyWith("b")}, {ReplyWith("c")}};
  WireStream& stream = d.client().Open(Path("ProcessStreamed"));
  stream.Send(Request(one));
  stream.Expect(Response("a"));
  stream.Send(Request(other));
  stream.Expect(Response("b"));
  stream.Expect(Response("c"));
  stream.HalfClose();
  stream.ExpectEnd();
  d.ExpectOnWire({Opened(0, "ProcessStreamed"), Sent(0, one), Answered(0, Answer().Reply("a")), Sent(0, other),
                  Answered(0, Answer().Reply("b")), Answered(0, Answer().Reply("c")), HalfClosed(0), Ended(0)});
}

void StreamedForward(Driver& d) {
  const Groups groups = {{EffectOn("x", Mode::kSynchronous), ForwardTo("y")}};
  WireStream& stream = d.client().Open(Path("ProcessStreamed"));
  stream.Send(Request(groups));
  stream.Expect(Response(""));
  d.ExpectOnWire({Opened(0, "ProcessStreamed"), Sent(0, groups),
                  Answered(0, Answer().Effect("x", Mode::kSynchronous).Forward("y")), CalledTwo(1, "x"),
                  Answered(1, Answer().Reply("")), CalledTwo(2, "y"), Answered(2, Answer().Reply(""))});
  stream.HalfClose();
  stream.ExpectEnd();
  d.ExpectOnWire({HalfClosed(0), Ended(0)});
}

void StreamedFailure(Driver& d) {
  WireStream& stream = d.client().Open(Path("ProcessStreamed"));
  stream.Send(Request({{FailWith(kText)}}));
  stream.ExpectEnd(absl::StatusCode::kUnknown, kText);
  d.ExpectOnWire({Opened(0, "ProcessStreamed"), Sent(0, {{FailWith(kText)}}), Answered(0, Answer().Fail(kText)),
                  Cancelled(0), Ended(0)});
}

void StreamedCancel(Driver& d) {
  WireStream& stream = d.client().Open(Path("ProcessStreamed"));
  stream.Send(Request({{ReplyWith("a")}}));
  stream.Expect(Response("a"));
  d.ExpectOnWire({Opened(0, "ProcessStreamed"), Sent(0, {{ReplyWith("a")}}), Answered(0, Answer().Reply("a"))});
  stream.Cancel();
  d.ExpectOnWire({Cancelled(0), Ended(0)});
}

}  // namespace

Section EmulatorSection() {
  Section section{"emulator/action", Part::kEmulator, {kModel}, {}};
  section.cases = {
      {"unary", "A unary call is one message there and one back.", UnaryReply},
      {"unary-forward", "A forward's outcome is the reply.", UnaryForward, "", kTwo},
      {"unary-effects", "Synchronous side effects run in order, before the reply.", UnaryEffects, "", kTwo},
      {"unary-no-reply", "A unary call without a reply fails, its side effects run.", UnaryNoReply, "", kTwo},
      {"unary-failure", "A failure's text is verbatim.", UnaryFailure},
      {"unary-http", "HTTP routes, bodies and failures are exact.", UnaryHttp},
      {"streamed-in", "A client's stream goes on as it comes, and its half-close as well.", StreamedIn, "", "",
       Since::k0_2},
      {"streamed-in-failure", "A failure ends the client's call.", StreamedInFailure, "", "", Since::k0_2},
      {"streamed-out", "Responses go on as they come; one that holds nothing does not.", StreamedOut},
      {"streamed-out-failure", "A failure in the stream ends the client's call.", StreamedOutFailure},
      {"streamed", "Both directions go on as they come.", Streamed, "", "", Since::k0_2},
      {"streamed-forward", "Forwards and side effects work on each response.", StreamedForward, "", kTwo, Since::k0_2},
      {"streamed-failure", "A failure ends the client's call and cancels the user function's.", StreamedFailure, "", "",
       Since::k0_2},
      {"streamed-cancel", "A client that goes away cancels the user function's call.", StreamedCancel, "", "",
       Since::k0_2},
  };
  return section;
}

}  // namespace cloudstate::tck::actions
