#include "samples/cpp/tck_model_crdt_values.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"

namespace cloudstate::samples {
namespace {

using google::protobuf::Any;
namespace model = tck::model::crdt;

absl::Status NoSuchType(const std::string& name) {
  return absl::InvalidArgumentError(absl::StrCat("The name '", name, "' does not begin with a type of CRDTs."));
}

Clock ClockOf(model::LWWRegisterClockType type) {
  switch (type) {
    case model::REVERSE:
      return Clock::kReverse;
    case model::CUSTOM:
      return Clock::kCustom;
    case model::CUSTOM_AUTO_INCREMENT:
      return Clock::kCustomAutoIncrement;
    default:
      return Clock::kDefault;
  }
}

absl::Status UpdateEntry(const std::string& key, const model::Update* update, ORMap& map) {
  const std::optional<Crdt> first = NamedCrdt(key);
  if (!first) return NoSuchType(key);
  Crdt& entry = map.GetOrAdd(ToAny(key), *first);
  return update ? UpdateCrdt(*update, entry) : absl::OkStatus();
}

// For each type whether the update is one for it, and what it does.
class Updating {
 public:
  explicit Updating(const model::Update& update) : update_(update) {}

  absl::Status operator()(GCounter& counter) const {
    return update_.has_gcounter() ? counter.Increment(update_.gcounter().increment()) : Incompatible();
  }

  absl::Status operator()(PNCounter& counter) const {
    return update_.has_pncounter() ? counter.Change(update_.pncounter().change()) : Incompatible();
  }

  absl::Status operator()(GSet& set) const {
    if (!update_.has_gset()) return Incompatible();
    set.Add(ToAny(update_.gset().add()));
    return absl::OkStatus();
  }

  absl::Status operator()(ORSet& set) const {
    if (!update_.has_orset()) return Incompatible();
    const model::ORSetUpdate& update = update_.orset();
    if (update.has_add()) set.Add(ToAny(update.add()));
    if (update.has_remove()) set.Remove(ToAny(update.remove()));
    if (update.clear()) set.Clear();
    return absl::OkStatus();
  }

  absl::Status operator()(LWWRegister& lww_register) const {
    if (!update_.has_lwwregister()) return Incompatible();
    const model::LWWRegisterUpdate& update = update_.lwwregister();
    lww_register.Set(ToAny(update.value()), ClockOf(update.clock().clocktype()), update.clock().customclockvalue());
    return absl::OkStatus();
  }

  absl::Status operator()(Flag& flag) const {
    if (!update_.has_flag()) return Incompatible();
    flag.Enable();
    return absl::OkStatus();
  }

  absl::Status operator()(ORMap& map) const {
    if (!update_.has_ormap()) return Incompatible();
    const model::ORMapUpdate& update = update_.ormap();
    if (update.has_add()) return UpdateEntry(update.add(), nullptr, map);
    if (update.has_update()) return UpdateEntry(update.update().key(), &update.update().update(), map);
    if (update.has_remove()) map.Remove(ToAny(update.remove()));
    if (update.clear()) map.Clear();
    return absl::OkStatus();
  }

  absl::Status operator()(Vote& vote) const {
    if (!update_.has_vote()) return Incompatible();
    vote.Set(update_.vote().self_vote());
    return absl::OkStatus();
  }

 private:
  absl::Status Incompatible() const {
    return absl::InvalidArgumentError(
        absl::StrCat("The CRDT is of another type than this update: ", update_.ShortDebugString()));
  }

  const model::Update& update_;
};

// The model keeps nothing but strings; what else there may be is shown by its type.
std::string TextOf(const Any& any) { return ToString(any).value_or(any.type_url()); }

template <typename Value>
void WriteElements(const AnySet& elements, Value& value) {
  std::vector<std::string> texts;
  for (const Any& element : elements) texts.push_back(TextOf(element));
  std::sort(texts.begin(), texts.end());
  for (std::string& text : texts) value.add_elements(std::move(text));
}

class Writing {
 public:
  explicit Writing(model::State& state) : state_(state) {}

  void operator()(const GCounter& counter) const { state_.mutable_gcounter()->set_value(counter.value()); }
  void operator()(const PNCounter& counter) const { state_.mutable_pncounter()->set_value(counter.value()); }
  void operator()(const GSet& set) const { WriteElements(set.elements(), *state_.mutable_gset()); }
  void operator()(const ORSet& set) const { WriteElements(set.elements(), *state_.mutable_orset()); }
  void operator()(const LWWRegister& lww_register) const {
    state_.mutable_lwwregister()->set_value(TextOf(lww_register.value()));
  }
  void operator()(const Flag& flag) const { state_.mutable_flag()->set_value(flag.value()); }

  void operator()(const ORMap& map) const {
    std::map<std::string, const Crdt*> by_text;
    for (const auto& [key, entry] : map.entries()) by_text[TextOf(key)] = entry.get();
    model::ORMapValue& value = *state_.mutable_ormap();
    for (const auto& [text, entry] : by_text) {
      model::ORMapEntryValue& written = *value.add_entries();
      written.set_key(text);
      *written.mutable_value() = StateOf(*entry);
    }
  }

  void operator()(const Vote& vote) const {
    model::VoteValue& value = *state_.mutable_vote();
    value.set_self_vote(vote.self_vote());
    value.set_votes_for(vote.votes_for());
    value.set_total_voters(vote.total_voters());
  }

 private:
  model::State& state_;
};

}  // namespace

std::optional<Crdt> NamedCrdt(const std::string& name) {
  const std::string type = name.substr(0, name.find('-'));
  if (type == "GCounter") return GCounter();
  if (type == "PNCounter") return PNCounter();
  if (type == "GSet") return GSet();
  if (type == "ORSet") return ORSet();
  if (type == "LWWRegister") return LWWRegister(ToAny(""));
  if (type == "Flag") return Flag();
  if (type == "ORMap") return ORMap();
  if (type == "Vote") return Vote();
  return std::nullopt;
}

absl::Status UpdateCrdt(const model::Update& update, Crdt& crdt) { return std::visit(Updating(update), crdt.type()); }

model::State StateOf(const Crdt& crdt) {
  model::State state;
  std::visit(Writing(state), crdt.type());
  return state;
}

}  // namespace cloudstate::samples
