#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "emulator/tck/case.h"
#include "emulator/tck/entity_model.h"

namespace cloudstate::tck {

// What must pass between our emulator and a user function that has entities, and what clients must see, whichever
// kind the entities are of (entity_model.h). The cases of a kind are in a class that derives from this one, to
// have its verbs at hand.
template <typename Kind>
class EmulatorEntityCases {
 protected:
  using Actions = tck::Actions<Kind>;
  using Answer = typename Kind::Answer;
  using Change = typename Kind::Change;

  static constexpr char kText[] = "100 % \"häßlich\"\tand\nmore";

  // The id of an entity of the model.
  static std::string IdOf(const std::string& name) { return Kind::kIdPrefix + name; }

  // ---- what clients do

  static std::string Process() { return absl::StrCat("/", Kind::kModel, "/Process"); }
  static void Ask(Driver& d, const std::string& id, const Actions& actions, const typename Kind::State& reply) {
    d.client().ExpectReply(Process(), Request<Kind>(id, actions), Kind::Respond(reply));
  }
  // With a forward among the actions.
  static void AskTwo(Driver& d, const std::string& id, const Actions& actions) {
    d.client().ExpectReply(Process(), Request<Kind>(id, actions), typename Kind::Response());
  }
  static void AskToFail(Driver& d, const std::string& id, const Actions& actions, const std::string& text) {
    d.client().ExpectFailure(Process(), Request<Kind>(id, actions), absl::StatusCode::kUnknown, text);
  }

  // ---- what passes

  static ExpectedPass Opened(std::size_t call, const std::string& id, const char* service = Kind::kModel) {
    return ToUserFunction(call, Kind::Init(service, id));
  }
  static ExpectedPass Commanded(std::size_t call, std::int64_t number, const std::string& id,
                                const Actions& actions = {}) {
    return ToUserFunction(call, Command<Kind>(number, "Process", Request<Kind>(id, actions)));
  }
  static ExpectedPass CommandedTwo(std::size_t call, std::int64_t number, const std::string& id) {
    return ToUserFunction(call, Command<Kind>(number, "Call", Request<Kind>(id)));
  }
  static ExpectedPass Answered(std::size_t call, std::int64_t number, const EntityAnswer<Kind>& answer) {
    return ToProxy(call, answer.To(number));
  }
  static ExpectedPass AnsweredNothing(std::size_t call, std::int64_t number) {
    return Answered(call, number, Answer().ReplyNothing());
  }

  // ---- cases

  static void Forwards(Driver& d) {
    const std::string id = IdOf("forward");
    const Actions actions = {Change("a"), ForwardTo("forwarded")};
    AskTwo(d, id, actions);
    d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id, actions),
                    Answered(0, 1, Answer().Changes("a").Forward("forwarded")), Opened(1, "forwarded", Kind::kTwo),
                    CommandedTwo(1, 1, "forwarded"), AnsweredNothing(1, 1)});
  }

  static void Effects(Driver& d) {
    const std::string id = IdOf("effects");
    const Actions actions = {Change("a"), EffectOn("affected"), EffectOn("affected")};
    Ask(d, id, actions, "a");
    d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id, actions),
                    Answered(0, 1, Answer().Changes("a").Effect("affected").Effect("affected").Reply("a")),
                    Opened(1, "affected", Kind::kTwo), CommandedTwo(1, 1, "affected"), AnsweredNothing(1, 1),
                    CommandedTwo(1, 2, "affected"), AnsweredNothing(1, 2)});
  }

  static void SynchronousEffects(Driver& d) {
    const std::string id = IdOf("in-order");
    const Actions actions = {EffectOn("first", Mode::kSynchronous), EffectOn("second", Mode::kSynchronous),
                             ForwardTo("third")};
    AskTwo(d, id, actions);
    d.ExpectOnWire(
        {Opened(0, id), Commanded(0, 1, id, actions),
         Answered(0, 1,
                  Answer().Effect("first", Mode::kSynchronous).Effect("second", Mode::kSynchronous).Forward("third")),
         Opened(1, "first", Kind::kTwo), CommandedTwo(1, 1, "first"), AnsweredNothing(1, 1),
         Opened(2, "second", Kind::kTwo), CommandedTwo(2, 1, "second"), AnsweredNothing(2, 1),
         Opened(3, "third", Kind::kTwo), CommandedTwo(3, 1, "third"), AnsweredNothing(3, 1)});
  }

  static void Passivation(Driver& d) {
    for (std::size_t stream = 0; stream < 2; ++stream) {
      d.client().ExpectReply(absl::StrCat("/", Kind::kConfigured, "/Call"), Request<Kind>("idle"),
                             typename Kind::Response());
      d.ExpectOnWire({Opened(stream, "idle", Kind::kConfigured), CommandedTwo(stream, 1, "idle"),
                      AnsweredNothing(stream, 1), HalfClosed(stream), Ended(stream)});
    }
  }

  // `target` leads to IdOf("http-failure").
  static void HttpFailure(Driver& d, const std::string& target) {
    const std::string id = IdOf("http-failure");
    d.ExpectHttp({.target = target, .body = R"({"actions":[{"fail":{"message":"100 % häßlich"}}]})"},
                 {.status = 500, .body = "100 % häßlich", .content_type = "text/plain; charset=utf-8"});
    d.ExpectOnWire({Opened(0, id), Commanded(0, 1, id, {FailWith("100 % häßlich")}),
                    Answered(0, 1, Answer().Fail("100 % häßlich"))});
  }
};

}  // namespace cloudstate::tck
