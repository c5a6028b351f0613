#include "tests/unit/crdt_history.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/chance.h"
#include "emulator/base/random.h"
#include "emulator/crdt/update.h"
#include "emulator/crdt/value.h"
#include "tests/unit/crdt_model.h"

namespace cloudstate::crdt {
namespace {

using base::Below;
using base::Happens;

constexpr std::size_t kReplicas = 3;
constexpr std::array<ReplicaId, kReplicas> kIds = {{{1, 7}, {2, 3}, {3, 5}}};
constexpr int kDeepest = 2;

google::protobuf::Any AnyNamed(char name) {
  google::protobuf::Any any;
  any.set_type_url("t");
  any.set_value(std::string(1, name));
  return any;
}

// What votes of others come to is no change of a user function's own.
void ForgetTallies(Value& value) {
  value.votes.votes_for = value.votes.total = 0;
  for (auto& [key, entry] : value.entries) ForgetTallies(entry);
}

// Makes up what user functions ask for.
class Updates {
 public:
  explicit Updates(base::Random& random) : random_(random) {
    for (int& type : key_types_) type = AnyTypeButMaps();
    if (Happens(random_, 0.3)) key_types_[0] = CrdtDelta::kOrmap;
  }

  CrdtDelta Next(int type, const std::optional<Value>& shown) { return Next(type, 0, shown ? &*shown : nullptr); }
  int AnyType() { return 1 + static_cast<int>(Below(random_, kTypes)); }

 private:
  int AnyTypeButMaps() {
    const int type = AnyType();
    return type == CrdtDelta::kOrmap ? int{CrdtDelta::kOrset} : type;
  }
  char Element() { return static_cast<char>('x' + Below(random_, 3)); }

  CrdtDelta Next(int type, int depth, const Value* shown) {
    CrdtDelta update;
    switch (static_cast<CrdtDelta::DeltaCase>(type)) {
      case CrdtDelta::kGcounter:
        update.mutable_gcounter()->set_increment(Below(random_, 4));
        break;
      case CrdtDelta::kPncounter:
        update.mutable_pncounter()->set_change(static_cast<std::int64_t>(Below(random_, 7)) - 3);
        break;
      case CrdtDelta::kGset:
        update.mutable_gset();
        for (auto i = Below(random_, 3); i > 0; --i) *update.mutable_gset()->add_added() = AnyNamed(Element());
        break;
      case CrdtDelta::kOrset:
        update.mutable_orset()->set_cleared(Happens(random_, 0.08));
        if (Happens(random_, 0.4)) *update.mutable_orset()->add_removed() = AnyNamed(Element());
        for (auto i = Below(random_, 3); i > 0; --i) *update.mutable_orset()->add_added() = AnyNamed(Element());
        break;
      case CrdtDelta::kLwwregister: {
        LWWRegisterDelta& write = *update.mutable_lwwregister();
        if (Happens(random_, 0.9)) *write.mutable_value() = AnyNamed(Element());
        write.set_clock(static_cast<CrdtClock>(Below(random_, 4)));
        write.set_custom_clock_value(static_cast<std::int64_t>(Below(random_, 5)));
        break;
      }
      case CrdtDelta::kFlag:
        update.mutable_flag()->set_value(Happens(random_, 0.7));
        break;
      case CrdtDelta::kOrmap:
        ChangeMap(*update.mutable_ormap(), depth, shown);
        break;
      case CrdtDelta::kVote:
        update.mutable_vote()->set_self_vote(Happens(random_, 0.5));
        break;
      case CrdtDelta::DELTA_NOT_SET:
        break;
    }
    return update;
  }

  void ChangeMap(ORMapDelta& map, int depth, const Value* shown) {
    map.set_cleared(Happens(random_, 0.05));
    if (Happens(random_, 0.2)) *map.add_removed() = AnyNamed(Key());
    if (Happens(random_, 0.5)) ChangeEntry(*map.add_updated(), depth, shown);
    if (Happens(random_, 0.1)) ChangeEntry(*map.add_updated(), depth, shown);
    if (Happens(random_, 0.4)) ChangeEntry(*map.add_added(), depth, nullptr);
  }
  char Key() { return static_cast<char>('a' + Below(random_, key_types_.size())); }
  // Of the type that is shown, or else mostly of the same, so that there is something to join.
  void ChangeEntry(ORMapEntryDelta& entry, int depth, const Value* shown) {
    const char key = Key();
    *entry.mutable_key() = AnyNamed(key);
    int type = Happens(random_, 0.1) ? AnyType() : key_types_[static_cast<std::size_t>(key - 'a')];
    const Value* inner = nullptr;
    if (shown != nullptr) {
      const auto found = shown->entries.find({'t', '\0', key});
      if (found != shown->entries.end()) inner = &found->second;
    }
    if (inner != nullptr && Happens(random_, 0.9)) type = inner->type;
    if (depth == kDeepest && type == CrdtDelta::kOrmap) type = CrdtDelta::kOrset;
    *entry.mutable_delta() = Next(type, depth + 1, inner);
  }

  base::Random& random_;
  std::array<int, 2> key_types_{};
};

class HistoryPlayer {
 public:
  HistoryPlayer(int type, std::uint64_t seed)
      : random_(seed * kTypesOfHistories + static_cast<std::uint64_t>(type)),
        type_(type),
        deletes_(Happens(random_, 0.03)),
        updates_(random_) {}

  void PlayMiddle() {
    const std::uint64_t steps = 6 + Below(random_, 9);
    for (std::uint64_t step = 0; step < steps && wrong_.empty(); ++step) Step(replicas_[Below(random_, kReplicas)]);
  }
  void PlayEnd() {
    if (wrong_.empty()) ExchangeAll();
    if (wrong_.empty() && Happens(random_, 0.15)) PruneLast();
  }

  const std::string& wrong() const { return wrong_; }
  std::vector<State> States() const {
    std::vector<State> states;
    for (const Replica& each : replicas_) states.push_back(each.state);
    for (const Sent& each : sent_) states.push_back(each.delta);
    return states;
  }

 private:
  static constexpr std::uint64_t kTypesOfHistories = 9;

  struct Replica {
    ReplicaId id;
    State state;
    Model::Known known;
  };
  // A delta that any replica may get, now or later, once or more often.
  struct Sent {
    State delta;
    Model::Known holds;
  };

  void Expect(bool right, const char* what) {
    if (!right && wrong_.empty()) wrong_ = what;
  }

  void Step(Replica& replica) {
    const std::uint64_t choice = Below(random_, 100);
    if (choice < 45 || sent_.empty()) {
      MakeUpdate(replica);
    } else if (choice < 68) {
      Deliver(Pick(), replica);
    } else if (choice < 78) {
      Deliver(Batch(), replica);
    } else if (choice < 90) {
      const Replica& other = replicas_[Below(random_, kReplicas)];
      Deliver({other.state, other.known}, replica);
    } else if (choice < 94) {
      replica.state = Reread(replica.state);
    } else if (deletes_) {
      sent_.push_back({replica.state.Delete(), {}});
      model_.Delete(replica.known);
      sent_.back().holds = replica.known;
    } else {
      CheckLaws(Pick().delta, Pick().delta, Pick().delta);
      CheckLaws(replicas_[0].state, replicas_[1].state, replicas_[2].state);
    }
    CheckValue(replica);
    CheckSize(replica);
  }

  void MakeUpdate(Replica& replica) {
    const std::optional<Value> shown = ValueOf(replica.state, replica.id, voters_);
    const int type = type_ != kAnyType ? type_ : shown && Happens(random_, 0.95) ? shown->type : updates_.AnyType();
    const CrdtDelta update = updates_.Next(type, shown);
    const auto now = static_cast<std::int64_t>(1 + Below(random_, 4));
    std::optional<State> before;
    const Model::Known known = replica.known;
    const bool fits = model_.Update(update, replica.id, now, replica.known);
    if (!fits) before = replica.state;
    absl::StatusOr<State> delta = Update(replica.state, update, replica.id, now);
    Expect(delta.ok() == fits, "an update is refused that fits, or taken that does not");
    if (!fits) {
      Expect(replica.state == before, "an update that is refused changes something");
    } else if (delta.ok()) {
      CheckOwn(shown, update, replica);
      sent_.push_back({*std::move(delta), replica.known & ~known});
    }
  }

  // The user function's copy follows its own change by itself, or is told that it does not.
  void CheckOwn(const std::optional<Value>& shown, const CrdtDelta& update, const Replica& replica) {
    Value copy = shown.value_or(Value());
    ApplyOwn(update, copy);
    const bool same = copy == ValueOf(replica.state, replica.id, voters_);
    Expect(AgreeAfter(update, copy, replica.state, replica.id, voters_) == same,
           "a copy is taken for the value that it is not, or the other way round");
  }

  const Sent& Pick() { return sent_[Below(random_, sent_.size())]; }

  Sent Batch() {
    Sent batch{State(State::Kind::kDelta), {}};
    for (auto i = 2 + Below(random_, 2); i > 0; --i) {
      const Sent& each = Pick();
      batch.delta.Join(each.delta);
      batch.holds |= each.holds;
    }
    return batch;
  }

  void Deliver(const Sent& sent, Replica& replica) {
    if (Happens(random_, 0.3)) {
      replica.state.Join(Reread(sent.delta));
    } else {
      replica.state.Join(sent.delta);
    }
    replica.known |= sent.holds;
  }

  State Reread(const State& state) {
    absl::StatusOr<State> read = State::Decode(state.Encode());
    Expect(read.ok() && *read == state, "what is encoded is not what is decoded");
    Expect(read.ok() && read->Encode() == state.Encode(), "what is the same is not encoded in the same way");
    return read.ok() ? *std::move(read) : State();
  }

  void CheckValue(const Replica& replica) {
    Expect(ValueOf(replica.state, replica.id, voters_) == model_.ValueAt(replica.known, replica.id, voters_),
           "a value is not what the operations come to");
  }

  // Nothing is kept of what is no longer there.
  void CheckSize(const Replica& replica) {
    if (replica.state.deleted()) return;
    std::size_t dots = 0;
    replica.state.cells().VisitDots([&](const Dot&) { ++dots; });
    Expect(dots == model_.DotsAt(replica.known), "more is kept than what is there");
  }

  static State Joined(const State& a, const State& b, bool* changed = nullptr) {
    State joined = a;
    const bool news = joined.Join(b);
    if (changed != nullptr) *changed = news;
    return joined;
  }

  void CheckLaws(const State& a, const State& b, const State& c) {
    bool changed = false;
    const State ab = Joined(a, b, &changed);
    Expect(ab == Joined(b, a), "joining is not commutative");
    Expect(changed == (ab != a), "joining does not tell whether anything has changed");
    Expect(Joined(ab, c) == Joined(a, Joined(b, c)), "joining is not associative");
    Expect(Joined(ab, b, &changed) == ab && !changed, "joining is not idempotent");
    Expect(Joined(a, a) == a, "joining with itself changes something");
    Expect((a == b) == (a.Digest() == b.Digest()) || a.kind() == State::Kind::kDelta, "a digest does not tell apart");
  }

  // All deltas in any order, some of them joined before or repeated, are the same as all states.
  void ExchangeAll() {
    State whole;
    Model::Known known;
    for (const Replica& each : replicas_) {
      whole.Join(each.state);
      known |= each.known;
    }
    const bool by_deltas = Happens(random_, 0.5);
    for (Replica& each : replicas_) {
      const std::optional<Value> before = ValueOf(each.state, each.id, voters_);
      if (by_deltas) {
        DeliverAll(each.state);
      } else {
        each.state.Join(whole);
      }
      each.known = known;
      Expect(each.state == whole, "replicas differ that have exchanged everything");
      Expect(each.state.Digest() == whole.Digest(), "digests of the same state differ");
      CheckValue(each);
      CheckSize(each);
      CheckChange(before, ValueOf(each.state, each.id, voters_));
    }
    State from_deltas;
    DeliverAll(from_deltas);
    Expect(from_deltas == whole, "deltas come to something else than states");
    Expect(whole.context().cloud().empty(), "writes are kept one by one though none is missing");
    Expect(whole.context().vector().size() <= kReplicas, "there are more replicas than have written");
  }

  void DeliverAll(State& state) {
    std::vector<const Sent*> order;
    for (const Sent& each : sent_) order.push_back(&each);
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[Below(random_, i)]);
    State batch(State::Kind::kDelta);
    for (const Sent* each : order) {
      if (Happens(random_, 0.3)) {
        batch.Join(each->delta);
      } else {
        state.Join(each->delta);
      }
    }
    state.Join(batch);
  }

  // The user function's copy follows.
  void CheckChange(const std::optional<Value>& from, const std::optional<Value>& to) {
    if (!to) return;
    Value copy;
    ApplyOwn(WholeDelta(*to), copy);
    Value target = *to;
    ForgetTallies(target);
    ForgetTallies(copy);
    Expect(copy == target, "the whole as a change comes to something else");
    if (!from || from->type != to->type) return;
    const std::optional<CrdtDelta> change = Difference(*from, *to);
    Expect(change.has_value() == (*from != *to),
           "a difference is told where there is none, or none where there is one");
    copy = *from;
    if (change) ApplyOwn(*change, copy);
    ForgetTallies(copy);
    Expect(copy == target, "a difference leads elsewhere");
  }

  // The last replica goes for good, and its writes become the first one's. The two that stay go on.
  void PruneLast() {
    Replica& first = replicas_[0];
    Replica& second = replicas_[1];
    const ReplicaId gone = kIds[2];
    voters_.erase(gone);
    sent_.assign(1, {first.state.Prune(gone, first.id), {}});
    CheckValue(first);
    Deliver(sent_[0], second);
    Expect(first.state == second.state, "a pruned replica does not go everywhere");
    for (Replica* each : {&first, &second}) {
      Expect(!each->state.CanPrune(gone), "data of a pruned replica is left that nothing removes");
      if (each->state.HoldsWritesOf(gone)) continue;
      each->state.Forget(gone);
      Expect(!each->state.context().Knows(gone), "a pruned replica stays in the vector");
    }
    for (int i = 0; i < 3 && wrong_.empty(); ++i) {
      Replica& writer = replicas_[Below(random_, 2)];
      const std::size_t before = sent_.size();
      MakeUpdate(writer);
      if (sent_.size() == before) continue;
      Deliver(sent_.back(), &writer == &first ? second : first);
      CheckValue(first);
      CheckValue(second);
      Expect(first.state == second.state, "replicas differ after one was pruned");
    }
  }

  base::Random random_;
  const int type_;
  const bool deletes_;
  Updates updates_;
  Voters voters_{kIds.begin(), kIds.end()};
  Model model_;
  std::array<Replica, kReplicas> replicas_ = {{{kIds[0], State(), {}}, {kIds[1], State(), {}}, {kIds[2], State(), {}}}};
  std::vector<Sent> sent_;
  std::string wrong_;
};

}  // namespace

std::string PlayHistory(int type, std::uint64_t seed) {
  HistoryPlayer player(type, seed);
  player.PlayMiddle();
  player.PlayEnd();
  if (player.wrong().empty()) return "";
  return absl::StrCat("history ", seed, " of ", type == kAnyType ? "any type" : TypeName(type), ": ", player.wrong());
}

std::vector<State> StatesWithin(int type, std::uint64_t seed) {
  HistoryPlayer player(type, seed);
  player.PlayMiddle();
  return player.States();
}

}  // namespace cloudstate::crdt
