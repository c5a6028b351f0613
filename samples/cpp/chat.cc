#include "samples/cpp/chat.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "chat/chat.pb.h"
#include "google/protobuf/any.pb.h"

namespace cloudstate::samples {
namespace {

using google::protobuf::Any;
namespace api = com::example::chat;

constexpr std::size_t kMessagesKept = 100;

// A room's map has two entries.
const Any& PeopleKey() {
  static const Any key = ToAny("people");  // a map with a vote for each name: nodes vote for those who are there
  return key;
}
const Any& MessagesKey() {
  static const Any key = ToAny("messages");  // a set
  return key;
}

// Null: the room has no entry of that kind yet.
const ORMap* PeopleIn(const ORMap& room) {
  const Crdt* people = room.Find(PeopleKey());
  return people ? people->As<ORMap>() : nullptr;
}

std::set<std::string> NamesIn(const ORMap& room) {
  std::set<std::string> names;
  const ORMap* people = PeopleIn(room);
  if (!people) return names;
  for (const auto& [key, entry] : people->entries()) {
    const Vote* vote = entry->As<Vote>();
    if (vote && vote->votes_for() > 0) names.insert(ToString(key).value_or(key.type_url()));
  }
  return names;
}

const AnySet& MessagesIn(const ORMap& room) {
  static const AnySet none;
  const Crdt* entry = room.Find(MessagesKey());
  const ORSet* messages = entry ? entry->As<ORSet>() : nullptr;
  return messages ? messages->elements() : none;
}

// From the oldest to the newest.
std::vector<api::Message> InOrder(const AnySet& packed) {
  std::vector<api::Message> messages;
  for (const Any& element : packed) {
    if (api::Message message; element.UnpackTo(&message)) messages.push_back(std::move(message));
  }
  std::sort(messages.begin(), messages.end(), [](const api::Message& a, const api::Message& b) {
    return std::pair(a.sent_ms(), a.number()) < std::pair(b.sent_ms(), b.number());
  });
  return messages;
}

Any Pack(const api::Message& message) {
  Any packed;
  packed.PackFrom(message);
  return packed;
}

// What a visitor has been told.
class Told {
 public:
  // What is new in the room; from now on it counts as told.
  api::News Next(const ORMap& room) {
    api::News news;
    std::set<std::string> names = NamesIn(room);
    for (const std::string& name : names) {
      if (!names_.contains(name)) news.add_joined(name);
    }
    for (const std::string& name : names_) {
      if (!names.contains(name)) news.add_left(name);
    }
    AnySet messages = MessagesIn(room);
    AnySet unheard;
    std::set_difference(messages.begin(), messages.end(), messages_.begin(), messages_.end(),
                        std::inserter(unheard, unheard.end()), AnyOrder());
    for (api::Message& message : InOrder(unheard)) *news.add_messages() = std::move(message);
    names_ = std::move(names);
    messages_ = std::move(messages);
    return news;
  }

 private:
  std::set<std::string> names_;
  AnySet messages_;
};

bool IsEmpty(const api::News& news) {
  return news.joined_size() == 0 && news.left_size() == 0 && news.messages_size() == 0;
}

class RoomEntity final : public CrdtEntity {
 public:
  std::optional<Crdt> FirstValue() const override { return ORMap(); }

  absl::Status OnCommand(const std::string& name, const Any& payload, CrdtContext& context) override {
    if (api::Visitor visitor; name == "Join" && payload.UnpackTo(&visitor)) {
      Join(visitor.name(), context);
    } else if (api::PostMessage post; name == "Post" && payload.UnpackTo(&post)) {
      Post(post, context);
    } else if (name == "ListMessages" && payload.Is<api::Room>()) {
      api::Messages answer;
      for (api::Message& message : InOrder(MessagesIn(context.Get<ORMap>()))) {
        *answer.add_messages() = std::move(message);
      }
      context.Reply(answer);
    } else if (name == "ListPeople" && payload.Is<api::Room>()) {
      api::People answer;
      for (const std::string& person : NamesIn(context.Get<ORMap>())) answer.add_names(person);
      context.Reply(answer);
    } else {
      return UnknownType(absl::StrCat("command ", name), payload);
    }
    return absl::OkStatus();
  }

 private:
  void Join(const std::string& name, CrdtContext& context) {
    if (name.empty()) return context.Fail("Nobody can join without a name.");
    ORMap* people = PeopleOf(context.Change<ORMap>());
    if (!people) return context.Fail("This room keeps something else where its people should be.");
    ++visits_[name];
    VoteForVisitors(name, *people);
    Told told;
    context.Reply(told.Next(context.Get<ORMap>()));
    context.KeepOpen({.on_change =
                          [told](CrdtChangeContext& changed) mutable {
                            const api::News news = told.Next(changed.Get<ORMap>());
                            if (!IsEmpty(news)) changed.Reply(news);
                          },
                      .on_cancel =
                          [this, name](CrdtCancelContext& cancelled) {
                            if (--visits_[name] == 0) visits_.erase(name);
                            ORMap* there = PeopleOf(cancelled.Change<ORMap>());
                            if (!there) return absl::FailedPreconditionError("The people of this room are gone.");
                            VoteForVisitors(name, *there);
                            return absl::OkStatus();
                          }});
  }

  // Null: the room keeps something else there.
  static ORMap* PeopleOf(ORMap& room) { return room.GetOrAdd(PeopleKey(), ORMap()).As<ORMap>(); }

  // This node votes for those who have calls open here, and no more for others. Of them there is the one who left, and
  // those whose calls ended together with an earlier stream.
  void VoteForVisitors(const std::string& name, ORMap& people) const {
    people.GetOrAdd(ToAny(name), Vote());
    for (const auto& [key, entry] : people.entries()) {
      Vote* vote = entry->As<Vote>();
      const std::optional<std::string> of = ToString(key);
      if (vote && of) vote->Set(visits_.contains(*of));
    }
  }

  void Post(const api::PostMessage& post, CrdtContext& context) {
    if (post.author().empty() || post.text().empty()) return context.Fail("A message needs an author and a text.");
    api::Message message;
    message.set_author(post.author());
    message.set_text(post.text());
    message.set_sent_ms(absl::ToUnixMillis(absl::Now()));
    message.set_number(absl::Uniform<std::uint64_t>(absl::BitGen()));
    ORSet* messages = context.Change<ORMap>().GetOrAdd(MessagesKey(), ORSet()).As<ORSet>();
    if (!messages) return context.Fail("This room keeps something else where its messages should be.");
    messages->Add(Pack(message));
    const std::vector<api::Message> all = InOrder(messages->elements());
    for (std::size_t i = 0; i + kMessagesKept < all.size(); ++i) messages->Remove(Pack(all[i]));
    context.Reply(message);
  }

  std::map<std::string, int> visits_;  // calls of Join that are open on this node, by name
};

}  // namespace

UserFunction Chat() {
  return {.name = "chat",
          .version = "1.0.0",
          .crdts = {{
              .service_name = "com.example.chat.Chat",
              .files = {api::Room::descriptor()->file()},
              .create = [](const std::string&) { return std::make_unique<RoomEntity>(); },
          }}};
}

}  // namespace cloudstate::samples
