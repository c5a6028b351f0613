// What a user function must do with the calls of an action, in each of the four shapes.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/tck/action_model.h"
#include "emulator/tck/case.h"
#include "emulator/tck/common_expectations.h"

namespace cloudstate::tck::actions {
namespace {

using cloudstate::action::ActionCommand;
using cloudstate::action::ActionResponse;

// How a method's calls look: one message or a stream of them, in and out.
struct Shape {
  const char* name;         // the second part of the cases' ids
  const char* method;       // of the model
  const char* wire_method;  // of the protocol
  bool streamed_in;
  bool streamed_out;
};
constexpr Shape kUnary = {"unary", "ProcessUnary", "handleUnary", false, false};
constexpr Shape kStreamedIn = {"streamed-in", "ProcessStreamedIn", "handleStreamedIn", true, false};
constexpr Shape kStreamedOut = {"streamed-out", "ProcessStreamedOut", "handleStreamedOut", false, true};
constexpr Shape kStreamed = {"streamed", "ProcessStreamed", "handleStreamed", true, true};

// One call of the model.
class ActionCall {
 public:
  ActionCall(Driver& driver, const Shape& shape)
      : shape_(shape),
        announced_(shape.streamed_in && driver.dialect() == userfunction::Dialect::k0_2),
        stream_(driver.user_function().Open(driver.ActionMethod(shape.wire_method))) {
    if (announced_) stream_.Send(Opening(shape.method));
  }

  // One message of the client.
  ActionCall& Send(const Groups& groups) {
    stream_.Send(announced_ ? Payload(Request(groups)) : Command(kModel, shape_.method, Request(groups)));
    if (!shape_.streamed_in) stream_.HalfClose();
    return *this;
  }
  ActionCall& HalfClose() {
    stream_.HalfClose();
    return *this;
  }
  ActionCall& Expect(const Answer& answer) {
    stream_.Expect(answer.message());
    return *this;
  }
  ActionCall& ExpectSilence() {
    stream_.ExpectSilence();
    return *this;
  }
  void ExpectEnd() { stream_.ExpectEnd(); }
  void Cancel() { stream_.Cancel(); }

 private:
  const Shape& shape_;
  const bool announced_;  // what is called is said ahead of the messages, not in each as 0.1 has it
  WireStream& stream_;
};

// A call with one group, which has one answer in every shape.
void Exchange(Driver& driver, const Shape& shape, const Group& group, const Answer& expected) {
  ActionCall call(driver, shape);
  call.Send({group});
  if (shape.streamed_in) call.HalfClose();
  call.Expect(expected);
  // A proxy cancels a stream that has failed.
  if (shape.streamed_out && expected.message().has_failure()) return call.Cancel();
  call.ExpectEnd();
}

// What holds for every shape.
std::vector<Case> CommonCases(const Shape& shape) {
  struct Row {
    const char* id;
    const char* title;
    Group group;
    Answer expected;
    const char* hint = "";
  };
  const std::string text = "100 % \"häßlich\" <&>\n\ttext ";
  const std::vector<Row> rows = {
      {"reply", "A reply is answered.", {ReplyWith("a")}, Answer().Reply("a")},
      {"reply-empty", "A reply at its default value is a reply.", {ReplyWith("")}, Answer().Reply("")},
      {"reply-text", "Text comes back as it was sent.", {ReplyWith(text)}, Answer().Reply(text)},
      {"last-reply", "Of several replies the last one counts.", {ReplyWith("a"), ReplyWith("b")}, Answer().Reply("b")},
      {"forward", "A forward stands in the reply's place.", {ForwardTo("x")}, Answer().Forward("x")},
      {"forward-after-reply",
       "Of a reply and a forward the last one counts.",
       {ReplyWith("a"), ForwardTo("x")},
       Answer().Forward("x")},
      {"reply-after-forward",
       "Of a forward and a reply the last one counts.",
       {ForwardTo("x"), ReplyWith("a")},
       Answer().Reply("a")},
      {"effect",
       "A side effect goes with the reply.",
       {ReplyWith("a"), EffectOn("x")},
       Answer().Effect("x").Reply("a")},
      {"effect-synchronous",
       "A synchronous side effect is marked so.",
       {EffectOn("x", Mode::kSynchronous), ReplyWith("a")},
       Answer().Effect("x", Mode::kSynchronous).Reply("a")},
      {"effects-in-order",
       "Several side effects keep their order and their marks.",
       {EffectOn("z"), ReplyWith("a"), EffectOn("x", Mode::kSynchronous), EffectOn("y")},
       Answer().Effect("z").Effect("x", Mode::kSynchronous).Effect("y").Reply("a")},
      {"effects-with-forward",
       "Side effects go with a forward.",
       {EffectOn("y"), ForwardTo("x")},
       Answer().Effect("y").Forward("x")},
      {"effect-without-reply", "Side effects need no reply.", {EffectOn("x")}, Answer().Effect("x")},
      {"no-reply", "Neither reply nor forward: a response that holds nothing.", {}, Answer()},
      {"failure",
       "A failure is answered.",
       {FailWith("no")},
       Answer().Fail("no"),
       "It belongs into the response. An error that ends the call means that the action is broken."},
      {"failure-text", "A failure's text is passed on verbatim.", {FailWith(text)}, Answer().Fail(text)},
      {"failure-after-reply", "A failure wins over a reply.", {ReplyWith("a"), FailWith("no")}, Answer().Fail("no")},
  };
  std::vector<Case> cases;
  for (const Row& row : rows) {
    cases.push_back({absl::StrCat(shape.name, "/", row.id), row.title,
                     [&shape, row](Driver& d) { Exchange(d, shape, row.group, row.expected); }, row.hint});
  }
  return cases;
}

std::vector<Case> UnaryCases() {
  return {
      {"unary/several-groups", "All groups of a request are one.",
       [](Driver& d) {
         ActionCall(d, kUnary)
             .Send({{ReplyWith("a"), EffectOn("x")}, {ReplyWith("b")}, {EffectOn("y")}})
             .Expect(Answer().Effect("x").Effect("y").Reply("b"))
             .ExpectEnd();
       }},
      {"unary/no-groups", "A request without groups is answered by a response that holds nothing.",
       [](Driver& d) { ActionCall(d, kUnary).Send({}).Expect(Answer()).ExpectEnd(); }},
      {"unary/metadata", "Metadata that the model has no use for does no harm.",
       [](Driver& d) {
         ActionCommand command = Command(kModel, kUnary.method, Request({{ReplyWith("a")}}));
         MetadataEntry& text = *command.mutable_metadata()->add_entries();
         text.set_key("x-text");
         text.set_string_value("value");
         MetadataEntry& bytes = *command.mutable_metadata()->add_entries();
         bytes.set_key("x-bytes-bin");
         bytes.set_bytes_value(std::string("\x00\xff", 2));
         d.user_function().ExpectReply(d.ActionMethod("handleUnary"), command, Answer().Reply("a").message());
       },
       "", "", Since::k0_2},
      {"unary/calls-are-separate", "A call knows nothing of the one before.",
       [](Driver& d) {
         Exchange(d, kUnary, {ReplyWith("a"), EffectOn("x")}, Answer().Effect("x").Reply("a"));
         Exchange(d, kUnary, {}, Answer());
       }},
  };
}

std::vector<Case> StreamedInCases() {
  return {
      {"streamed-in/several-requests", "All groups of all requests are one.",
       [](Driver& d) {
         ActionCall(d, kStreamedIn)
             .Send({{ReplyWith("a"), EffectOn("x")}})
             .Send({{ReplyWith("b")}, {EffectOn("y")}})
             .Send({{ReplyWith("c")}})
             .HalfClose()
             .Expect(Answer().Effect("x").Effect("y").Reply("c"))
             .ExpectEnd();
       }},
      {"streamed-in/waits-for-half-close", "Nothing is answered before the client has half-closed.",
       [](Driver& d) {
         ActionCall(d, kStreamedIn)
             .Send({{ReplyWith("a")}})
             .ExpectSilence()
             .Send({{ReplyWith("b")}})
             .ExpectSilence()
             .HalfClose()
             .Expect(Answer().Reply("b"))
             .ExpectEnd();
       }},
      {"streamed-in/no-requests", "A client that sends nothing gets a response that holds nothing.",
       [](Driver& d) { ActionCall(d, kStreamedIn).HalfClose().Expect(Answer()).ExpectEnd(); }},
      {"streamed-in/many-requests", "A stream may be long.",
       [](Driver& d) {
         ActionCall call(d, kStreamedIn);
         for (int i = 0; i < 100; ++i) call.Send({{ReplyWith(absl::StrCat(i))}});
         call.HalfClose().Expect(Answer().Reply("99")).ExpectEnd();
       }},
      {"streamed-in/cancel", "A client that goes away disturbs nothing.",
       [](Driver& d) {
         ActionCall(d, kStreamedIn).Send({{ReplyWith("a")}}).Cancel();
         Exchange(d, kStreamedIn, {ReplyWith("b")}, Answer().Reply("b"));
       }},
  };
}

std::vector<Case> StreamedOutCases() {
  return {
      {"streamed-out/several-groups", "Each group has a response of its own, in order.",
       [](Driver& d) {
         ActionCall(d, kStreamedOut)
             .Send({{ReplyWith("a")}, {ReplyWith("b")}, {ReplyWith("c")}})
             .Expect(Answer().Reply("a"))
             .Expect(Answer().Reply("b"))
             .Expect(Answer().Reply("c"))
             .ExpectEnd();
       }},
      {"streamed-out/mixed-groups", "Each response has its own reply, forward and side effects.",
       [](Driver& d) {
         ActionCall(d, kStreamedOut)
             .Send({{ReplyWith("a"), EffectOn("x")},
                    {ForwardTo("y")},
                    {EffectOn("z", Mode::kSynchronous)},
                    {},
                    {ReplyWith("b")}})
             .Expect(Answer().Effect("x").Reply("a"))
             .Expect(Answer().Forward("y"))
             .Expect(Answer().Effect("z", Mode::kSynchronous))
             .Expect(Answer())
             .Expect(Answer().Reply("b"))
             .ExpectEnd();
       }},
      {"streamed-out/no-groups", "Without groups the stream ends without a response.",
       [](Driver& d) { ActionCall(d, kStreamedOut).Send({}).ExpectEnd(); }},
      {"streamed-out/many-groups", "A stream may be long.",
       [](Driver& d) {
         Groups groups;
         for (int i = 0; i < 100; ++i) groups.push_back({ReplyWith(absl::StrCat(i))});
         ActionCall call(d, kStreamedOut);
         call.Send(groups);
         for (int i = 0; i < 100; ++i) call.Expect(Answer().Reply(absl::StrCat(i)));
         call.ExpectEnd();
       }},
      {"streamed-out/failure-in-stream", "A failure may come after replies.",
       [](Driver& d) {
         ActionCall(d, kStreamedOut)
             .Send({{ReplyWith("a")}, {FailWith("no")}})
             .Expect(Answer().Reply("a"))
             .Expect(Answer().Fail("no"))
             .Cancel();
       }},
      {"streamed-out/cancel", "A client that goes away disturbs nothing.",
       [](Driver& d) {
         ActionCall(d, kStreamedOut).Send({{ReplyWith("a")}, {ReplyWith("b")}}).Expect(Answer().Reply("a")).Cancel();
         Exchange(d, kStreamedOut, {ReplyWith("b")}, Answer().Reply("b"));
       }},
  };
}

std::vector<Case> StreamedCases() {
  return {
      {"streamed/in-turn", "Each request is answered when it comes, not at the end.",
       [](Driver& d) {
         ActionCall(d, kStreamed)
             .Send({{ReplyWith("a")}})
             .Expect(Answer().Reply("a"))
             .Send({{ReplyWith("b")}})
             .Expect(Answer().Reply("b"))
             .HalfClose()
             .ExpectEnd();
       }},
      {"streamed/several-groups", "Each group of a request has a response of its own, in order.",
       [](Driver& d) {
         ActionCall(d, kStreamed)
             .Send({{ReplyWith("a")}, {ForwardTo("x"), EffectOn("y")}})
             .Expect(Answer().Reply("a"))
             .Expect(Answer().Forward("x").Effect("y"))
             .Send({{ReplyWith("b")}})
             .Expect(Answer().Reply("b"))
             .HalfClose()
             .ExpectEnd();
       }},
      {"streamed/all-at-once", "Requests that come together are answered in their order.",
       [](Driver& d) {
         ActionCall call(d, kStreamed);
         for (int i = 0; i < 20; ++i) call.Send({{ReplyWith(absl::StrCat(i))}});
         call.HalfClose();
         for (int i = 0; i < 20; ++i) call.Expect(Answer().Reply(absl::StrCat(i)));
         call.ExpectEnd();
       }},
      {"streamed/silent-until-request", "Nothing is answered before a request has come.",
       [](Driver& d) {
         ActionCall(d, kStreamed).ExpectSilence().Send({{ReplyWith("a")}}).Expect(Answer().Reply("a")).Cancel();
       }},
      {"streamed/no-requests", "A client that sends nothing gets nothing, and the stream ends when it half-closes.",
       [](Driver& d) { ActionCall(d, kStreamed).HalfClose().ExpectEnd(); }},
      {"streamed/stays-open", "The stream stays open as long as the client does.",
       [](Driver& d) {
         ActionCall(d, kStreamed)
             .Send({{ReplyWith("a")}})
             .Expect(Answer().Reply("a"))
             .ExpectSilence()
             .HalfClose()
             .ExpectEnd();
       }},
      {"streamed/failure-in-stream", "A failure may come after replies.",
       [](Driver& d) {
         ActionCall(d, kStreamed)
             .Send({{ReplyWith("a")}})
             .Expect(Answer().Reply("a"))
             .Send({{FailWith("no")}})
             .Expect(Answer().Fail("no"))
             .Cancel();
       }},
      {"streamed/cancel", "A client that goes away disturbs nothing.",
       [](Driver& d) {
         ActionCall(d, kStreamed).Send({{ReplyWith("a")}}).Expect(Answer().Reply("a")).Cancel();
         Exchange(d, kStreamed, {ReplyWith("b")}, Answer().Reply("b"));
       }},
      {"streamed/calls-at-once", "Calls that are open at once are kept apart.",
       [](Driver& d) {
         ActionCall one(d, kStreamed);
         ActionCall other(d, kStreamed);
         one.Send({{ReplyWith("a")}}).Expect(Answer().Reply("a"));
         other.Send({{ReplyWith("b")}}).Expect(Answer().Reply("b"));
         one.HalfClose().ExpectEnd();
         other.Send({{ReplyWith("c")}}).Expect(Answer().Reply("c")).HalfClose().ExpectEnd();
       }},
  };
}

// A response that is a failure, or an error that ends the call.
void ExpectActionRefusal(Driver& driver, const std::string& service, const std::string& method) {
  const auto answer = driver.user_function().Call(driver.ActionMethod("handleUnary"),
                                                  Command(service, method, Request({{ReplyWith("a")}})));
  ActionResponse response;
  if (answer.ok() && (!response.ParseFromString(*answer) || !response.has_failure())) {
    throw CaseFailure{"What came is no failure: " + MessageLine(response)};
  }
  Exchange(driver, kUnary, {ReplyWith("a")}, Answer().Reply("a"));
}

std::vector<Case> OtherServiceCases() {
  return {
      {"two-answers", "ActionTwo answers an empty response.",
       [](Driver& d) {
         d.user_function().ExpectReply(d.ActionMethod("handleUnary"), Command(kTwo, "Call", OtherRequest("x")),
                                       Answer().Reply("").message());
       },
       "", kTwo},
      {"unknown-service", "A service that was not declared is refused, and nothing else is disturbed.",
       [](Driver& d) { ExpectActionRefusal(d, kUnknownService, "ProcessUnary"); }, kRefusalHint},
      {"unknown-command", "A command that is not declared is refused, and nothing else is disturbed.",
       [](Driver& d) { ExpectActionRefusal(d, kModel, kUnknownCommand); }, kRefusalHint},
  };
}

}  // namespace

Section DirectSection() {
  Section section{"action", Part::kDirect, {kModel}, {}};
  const auto add = [&](std::vector<Case> cases) {
    for (Case& each : cases) section.cases.push_back(std::move(each));
  };
  add(CommonCases(kUnary));
  add(UnaryCases());
  add(CommonCases(kStreamedIn));
  add(StreamedInCases());
  add(CommonCases(kStreamedOut));
  add(StreamedOutCases());
  add(CommonCases(kStreamed));
  add(StreamedCases());
  add(OtherServiceCases());
  return section;
}

}  // namespace cloudstate::tck::actions
