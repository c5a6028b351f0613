#include "emulator/runtime/crdt_changes.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/crdt/element.h"

namespace cloudstate::runtime {
namespace {

using google::protobuf::Any;

constexpr int kMostChanges = 5;
// Of a whole state with more elements it is not worked out which of them are news.
constexpr std::size_t kManyElements = 10'000;

std::string Signed(std::int64_t by) { return by < 0 ? absl::StrCat(by) : absl::StrCat("+", by); }

// Notes changes down, each with the keys that lead to it.
class ChangeNotes {
 public:
  explicit ChangeNotes(dev::v1::CrdtEvent& event) : event_(event) {}

  void Note(std::string what, const Any* payload = nullptr, std::uint32_t voter = 0) {
    ++noted_;
    if (event_.changes_size() == kMostChanges) {
      event_.set_more_changes(event_.more_changes() + 1);
      return;
    }
    dev::v1::CrdtChange& change = *event_.add_changes();
    for (const Any& key : path_) Put(key, *change.add_path());
    change.set_what(std::move(what));
    if (payload != nullptr) Put(*payload, *change.mutable_payload());
    change.set_voter(static_cast<std::int32_t>(voter));
  }
  template <typename Run>
  void Within(const Any& key, const Run& run) {
    path_.push_back(key);
    run();
    path_.pop_back();
  }
  std::size_t noted() const { return noted_; }

 private:
  static void Put(const Any& any, dev::v1::Payload& payload) {
    payload.set_type_url(any.type_url());
    payload.set_value(any.value());
  }

  dev::v1::CrdtEvent& event_;
  std::vector<Any> path_;
  std::size_t noted_ = 0;
};

void NoteUpdate(const crdt::CrdtDelta& update, ChangeNotes& notes);

void NoteMapUpdate(const crdt::ORMapDelta& update, ChangeNotes& notes) {
  if (update.cleared()) notes.Note("cleared");
  for (const Any& key : update.removed()) notes.Note("removed", &key);
  for (const auto* entries : {&update.updated(), &update.added()}) {
    for (const crdt::ORMapEntryDelta& entry : *entries) {
      const std::size_t before = notes.noted();
      notes.Within(entry.key(), [&] { NoteUpdate(entry.delta(), notes); });
      if (notes.noted() == before) notes.Note("added", &entry.key());
    }
  }
}

void NoteUpdate(const crdt::CrdtDelta& update, ChangeNotes& notes) {
  switch (update.delta_case()) {
    case crdt::CrdtDelta::kGcounter:
      if (update.gcounter().increment() > 0) notes.Note(absl::StrCat("+", update.gcounter().increment()));
      break;
    case crdt::CrdtDelta::kPncounter:
      if (update.pncounter().change() != 0) notes.Note(Signed(update.pncounter().change()));
      break;
    case crdt::CrdtDelta::kGset:
      for (const Any& each : update.gset().added()) notes.Note("added", &each);
      break;
    case crdt::CrdtDelta::kOrset:
      if (update.orset().cleared()) notes.Note("cleared");
      for (const Any& each : update.orset().removed()) notes.Note("removed", &each);
      for (const Any& each : update.orset().added()) notes.Note("added", &each);
      break;
    case crdt::CrdtDelta::kLwwregister:
      notes.Note("set to", &update.lwwregister().value());
      break;
    case crdt::CrdtDelta::kFlag:
      if (update.flag().value()) notes.Note("switched on");
      break;
    case crdt::CrdtDelta::kOrmap:
      NoteMapUpdate(update.ormap(), notes);
      break;
    case crdt::CrdtDelta::kVote:
      notes.Note(update.vote().self_vote() ? "votes yes" : "votes no");
      break;
    case crdt::CrdtDelta::DELTA_NOT_SET:
      break;
  }
}

// What a join would change, told without doing it to the replica.
class NewsFinder {
 public:
  NewsFinder(const crdt::State& before, const crdt::State& change, ChangeNotes& notes)
      : ours_(before.context()),
        theirs_(change.context()),
        whole_(change.kind() == crdt::State::Kind::kWhole),
        notes_(notes) {}

  void Compare(const crdt::Cells* before, const crdt::Cells& change) {
    for (const crdt::Cell& cell : change.all()) {
      const crdt::Cell* known = nullptr;
      if (before != nullptr) {
        const auto found = std::ranges::find(before->all(), cell.type(), &crdt::Cell::type);
        if (found != before->all().end()) known = &*found;
      }
      std::visit(
          [&](const auto& data) {
            using Type = std::decay_t<decltype(data)>;
            if constexpr (!std::is_same_v<Type, std::monostate>) {
              CompareData(known == nullptr ? nullptr : &std::get<Type>(known->data()), data);
            }
          },
          cell.data());
    }
  }

 private:
  crdt::Joining Join() { return {.ours = ours_, .theirs = theirs_, .whole = whole_, .removed = removed_}; }

  template <typename Counter, typename Number>
  void CompareCounts(const Counter* before, const Counter& change, const Number& number) {
    std::uint64_t by = 0;  // as a number with a sign, wrapped
    for (const auto& [dot, count] : change.dots().values()) {
      if (!ours_.Contains(dot)) by += number(count);
    }
    if (before != nullptr) {
      for (const auto& [dot, count] : before->dots().values()) {
        if (!change.dots().values().contains(dot) && theirs_.Contains(dot)) by -= number(count);
      }
    }
    if (by != 0) notes_.Note(Signed(static_cast<std::int64_t>(by)));
  }
  void CompareData(const crdt::GCounter* before, const crdt::GCounter& change) {
    CompareCounts(before, change, [](std::uint64_t count) { return count; });
  }
  void CompareData(const crdt::PNCounter* before, const crdt::PNCounter& change) {
    CompareCounts(before, change, [](const crdt::PNCounter::Count& count) { return count.up - count.down; });
  }

  bool HasAfter(const crdt::DotSet* before, const crdt::DotSet& change) {
    crdt::DotSet joined = before == nullptr ? crdt::DotSet() : *before;
    joined.Join(change, Join());
    return !joined.empty();
  }
  void CompareElement(const std::string& key, const crdt::DotSet* before, const crdt::DotSet& change) {
    const bool had = before != nullptr && !before->empty();
    const bool has = HasAfter(before, change);
    if (had == has) return;
    const Any element = crdt::AnyOf(key);
    notes_.Note(has ? "added" : "removed", &element);
  }
  void CompareData(const crdt::ElementSet* before, const crdt::ElementSet& change) {
    if (change.elements().size() > kManyElements) return;
    for (const auto* element : change.Sorted()) {
      const auto* known = before == nullptr ? nullptr : FindIn(before->elements(), element->first);
      CompareElement(element->first, known, element->second);
    }
    if (!whole_ || before == nullptr || before->elements().size() > kManyElements) return;
    for (const auto* element : before->Sorted()) {
      if (!change.elements().contains(element->first)) CompareElement(element->first, &element->second, {});
    }
  }
  void CompareData(const crdt::Flag* before, const crdt::Flag& change) {
    const crdt::DotSet* known = before == nullptr ? nullptr : &before->dots();
    if ((known == nullptr || known->empty()) && HasAfter(known, change.dots())) notes_.Note("switched on");
  }
  void CompareData(const crdt::LwwRegister* before, const crdt::LwwRegister& change) {
    crdt::LwwRegister joined = before == nullptr ? crdt::LwwRegister() : *before;
    joined.Join(change, Join());
    const auto* now = joined.value();
    if (now == nullptr || (before != nullptr && before->value() != nullptr && *before->value() == *now)) return;
    const Any value = crdt::AnyOf(now->value);
    notes_.Note("set to", &value);
  }
  void CompareData(const crdt::Vote*, const crdt::Vote& change) {
    for (const auto& [dot, changes] : change.dots().values()) {
      if (!ours_.Contains(dot)) notes_.Note(changes % 2 == 1 ? "votes yes" : "votes no", nullptr, dot.replica.node);
    }
  }
  void CompareData(const crdt::ORMap* before, const crdt::ORMap& change) {
    for (const auto& [key, cells] : change.entries()) {
      CompareEntry(key, before == nullptr ? nullptr : FindIn(before->entries(), key), cells);
    }
    if (!whole_ || before == nullptr) return;
    for (const auto& [key, cells] : before->entries()) {
      if (!change.entries().contains(key)) CompareEntry(key, &cells, {});
    }
  }
  void CompareEntry(const std::string& name, const crdt::Cells* before, const crdt::Cells& change) {
    const Any key = crdt::AnyOf(name);
    const bool had = before != nullptr && !before->empty();
    if (had && change.empty()) {
      crdt::Cells joined = *before;
      joined.Join(change, Join());
      if (joined.empty()) return notes_.Note("removed", &key);
    }
    const std::size_t noted = notes_.noted();
    notes_.Within(key, [&] { Compare(before, change); });
    if (!had && !change.empty() && notes_.noted() == noted && IsNews(change)) notes_.Note("added", &key);
  }
  bool IsNews(const crdt::Cells& change) const {
    bool news = false;
    change.VisitDots([&](const crdt::Dot& dot) { news = news || !ours_.Contains(dot); });
    return news;
  }

  template <typename Map>
  static const typename Map::mapped_type* FindIn(const Map& map, const std::string& key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
  }

  const crdt::CausalContext& ours_;
  const crdt::CausalContext& theirs_;
  const bool whole_;
  ChangeNotes& notes_;
  bool removed_ = false;
};

}  // namespace

void PutChanges(const crdt::CrdtDelta& update, dev::v1::CrdtEvent& event) {
  ChangeNotes notes(event);
  NoteUpdate(update, notes);
  if (notes.noted() == 0 && update.delta_case() != crdt::CrdtDelta::DELTA_NOT_SET) notes.Note("created");
}

void PutChanges(const crdt::State& before, const crdt::State& change, dev::v1::CrdtEvent& event) {
  ChangeNotes notes(event);
  if (before.deleted()) return;
  if (change.deleted()) return notes.Note("deleted");
  NewsFinder(before, change, notes).Compare(&before.cells(), change.cells());
  if (notes.noted() == 0 && before.empty() && !change.cells().empty()) notes.Note("created");
}

}  // namespace cloudstate::runtime
