#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/base/names.h"
#include "emulator/tck/case.h"
#include "emulator/tck/common_expectations.h"
#include "emulator/tck/entity_model.h"

// What a user function must do with an entity's stream, whichever kind the entity is of (entity_model.h).
namespace cloudstate::tck {

// One entity's stream. Commands are numbered from 1, as a proxy does.
template <typename Kind>
class EntityStream {
 public:
  using Actions = tck::Actions<Kind>;

  EntityStream(Driver& driver, const typename Kind::In& init)
      : stream_(driver.user_function().Open(Kind::kHandle)),
        id_(init.init().entity_id()),
        command_(init.init().service_name() == Kind::kModel ? "Process" : "Call"),
        // The older dialect has no way to ask for a restart.
        can_restart_(driver.dialect() == userfunction::Dialect::k0_2) {
    stream_.Send(init);
  }
  // An entity of the model; `name` is its id without the prefix that all have.
  explicit EntityStream(Driver& driver, const std::string& name = "one")
      : EntityStream(driver, Kind::Init(Kind::kModel, Kind::kIdPrefix + name)) {}

  EntityStream& Ask(const Actions& actions, const EntityAnswer<Kind>& expected) {
    stream_.Send(Command<Kind>(++last_, command_, Request<Kind>(id_, actions)));
    stream_.Expect(expected.To(last_));
    return *this;
  }
  EntityStream& AskToFail(const Actions& actions, const std::string& text, Restart restart = Restart::kNo) {
    return Ask(actions, EntityAnswer<Kind>().Fail(text, can_restart_ ? restart : Restart::kNo));
  }
  EntityStream& NextNumber(std::int64_t number) {
    last_ = number - 1;
    return *this;
  }
  void ExpectRefusal(const std::string& command) {
    stream_.Send(Command<Kind>(++last_, command, Request<Kind>(id_)));
    tck::ExpectRefusal<typename Kind::Out>(stream_);
  }
  void End() {
    stream_.HalfClose();
    stream_.ExpectEnd();
  }
  // As End, without a look at what comes of it.
  void Leave() {
    stream_.HalfClose();
    stream_.Cancel();
  }

 protected:
  WireStream& stream() { return stream_; }
  const std::string& id() const { return id_; }
  std::int64_t TakeNumber() { return ++last_; }

 private:
  WireStream& stream_;
  const std::string id_;
  const std::string command_;
  const bool can_restart_;
  std::int64_t last_ = 0;
};

template <typename Kind>
std::vector<Case> CommonStateCases() {
  using Entity = EntityStream<Kind>;
  using Answer = typename Kind::Answer;
  using Change = typename Kind::Change;
  return {
      {"text-beyond-ascii", "Text comes back as it was sent.",
       [](Driver& d) {
         const std::string text = "häßlich 日本 🛒 \"%\"\n\t";
         Entity(d).Ask({Change(text)}, Answer().Changes(text).Reply(text));
       }},
      {"separate-entities", "Entities with different ids have nothing in common.",
       [](Driver& d) {
         Entity one(d, "one");
         Entity other(d, "other");
         one.Ask({Change("a")}, Answer().Changes("a").Reply("a"));
         other.Ask({}, Answer().Reply(""));
         other.Ask({Change("b")}, Answer().Changes("b").Reply("b"));
         one.Ask({}, Answer().Reply("a"));
       }},
      {"command-ids", "A reply carries the id of its command, whatever it is.",
       [](Driver& d) {
         Entity(d).NextNumber(7).Ask({}, Answer().Reply("")).NextNumber(1'000'000'000'000).Ask({}, Answer().Reply(""));
       }},
      {"nothing-is-remembered", "A new stream starts from what it is sent, not from what was there before.",
       [](Driver& d) {
         Entity first(d);
         first.Ask({Change("a")}, Answer().Changes("a").Reply("a"));
         first.Leave();
         Entity(d).Ask({}, Answer().Reply(""));
       },
       "The proxy has the entity's state; what a user function keeps beside it is out of date sooner or later."},
  };
}

template <typename Kind>
std::vector<Case> CommonForwardAndEffectCases() {
  using Entity = EntityStream<Kind>;
  using Answer = typename Kind::Answer;
  return {
      {"forward", "A forward stands in the reply's place.",
       [](Driver& d) { Entity(d).Ask({ForwardTo("x")}, Answer().Forward("x")); }},
      {"forward-with-effect", "Effects go with a forward.",
       [](Driver& d) {
         Entity(d).Ask({EffectOn("y"), ForwardTo("x")}, Answer().Effect("y").Forward("x"));
       }},
      {"effect", "A side effect goes with the reply.",
       [](Driver& d) { Entity(d).Ask({EffectOn("x")}, Answer().Effect("x").Reply("")); }},
      {"effect-synchronous", "A synchronous side effect is marked so.",
       [](Driver& d) {
         Entity(d).Ask({EffectOn("x", Mode::kSynchronous)}, Answer().Effect("x", Mode::kSynchronous).Reply(""));
       }},
      {"effects-in-order", "Several side effects keep their order and their marks.",
       [](Driver& d) {
         Entity(d).Ask({EffectOn("z"), EffectOn("x", Mode::kSynchronous), EffectOn("y"), EffectOn("x")},
                       Answer().Effect("z").Effect("x", Mode::kSynchronous).Effect("y").Effect("x").Reply(""));
       }},
      {"effects-end-with-their-command", "The next command has no side effects of the one before.",
       [](Driver& d) { Entity(d).Ask({EffectOn("x")}, Answer().Effect("x").Reply("")).Ask({}, Answer().Reply("")); }},
  };
}

template <typename Kind>
std::vector<Case> CommonFailureCases() {
  using Entity = EntityStream<Kind>;
  return {
      {"failure", "A failure stands in the reply's place, and carries the command's id.",
       [](Driver& d) { Entity(d).AskToFail({FailWith("no")}, "no"); },
       "It belongs into the reply's client action. A failure on the stream itself means that the entity is broken."},
      {"failure-text", "A failure's text is passed on verbatim.",
       [](Driver& d) {
         const std::string text = "100 % \"häßlich\" <&>\n\ttext ";
         Entity(d).AskToFail({FailWith(text)}, text);
       }},
      {"failure-drops-effects", "A failure has no side effects.",
       [](Driver& d) {
         Entity(d).AskToFail({EffectOn("x"), EffectOn("y", Mode::kSynchronous), FailWith("no")}, "no");
       }},
      {"failure-drops-forward", "A failure wins over a forward.",
       [](Driver& d) {
         Entity(d).AskToFail({ForwardTo("x"), FailWith("no")}, "no");
       }},
  };
}

// A title about a service, which it calls by its name alone.
inline std::string ServiceTitle(std::string_view service, const char* what) {
  return base::LastPart(service) + " " + what;
}

template <typename Kind>
std::vector<Case> OtherServiceCases() {
  using Entity = EntityStream<Kind>;
  using Answer = typename Kind::Answer;
  return {
      {"two-answers", ServiceTitle(Kind::kTwo, "answers an empty response."),
       [](Driver& d) {
         Entity(d, Kind::Init(Kind::kTwo, "two")).Ask({}, Answer().ReplyNothing()).Ask({}, Answer().ReplyNothing());
       },
       "", Kind::kTwo},
      {"configured-answers", ServiceTitle(Kind::kConfigured, "answers an empty response."),
       [](Driver& d) { Entity(d, Kind::Init(Kind::kConfigured, "configured")).Ask({}, Answer().ReplyNothing()); }, "",
       Kind::kConfigured},
      {"unknown-service", "A service that was not declared is refused, and nothing else is disturbed.",
       [](Driver& d) {
         Entity(d, Kind::Init(kUnknownService, "one")).ExpectRefusal("Process");
         Entity(d).Ask({}, Answer().Reply(""));
       },
       kRefusalHint},
      {"unknown-command", "A command that is not declared is refused, and nothing else is disturbed.",
       [](Driver& d) {
         Entity(d, "one").ExpectRefusal(kUnknownCommand);
         Entity(d, "other").Ask({}, Answer().Reply(""));
       },
       kRefusalHint},
  };
}

}  // namespace cloudstate::tck
