#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/base/planted_bug.h"
#include "emulator/crdt/replica.pb.h"
#include "emulator/crdt/state.h"
#include "google/protobuf/arena.h"

namespace cloudstate::crdt {
namespace {

constexpr std::uint32_t kVersion = 1;
// More than a replica ever writes, so that counting on does not wrap.
constexpr std::uint64_t kMostWrites = std::numeric_limits<std::uint64_t>::max() / 2;
// As deep as protobuf's own limit for nested messages lets maps of maps be read again.
constexpr int kMostNested = 45;

// A message whose parts are not allocated one by one: most deltas are small.
class Scratch {
 public:
  replica::State& message() { return message_; }

 private:
  static google::protobuf::ArenaOptions Options(char* block, std::size_t size) {
    google::protobuf::ArenaOptions options;
    options.initial_block = block;
    options.initial_block_size = size;
    return options;
  }

  alignas(std::max_align_t) std::array<char, 2048> block_;
  google::protobuf::Arena arena_{Options(block_.data(), block_.size())};
  replica::State& message_ = *google::protobuf::Arena::CreateMessage<replica::State>(&arena_);
};

class Encoder {
 public:
  explicit Encoder(replica::State& out) : out_(out) {}

  void Put(const Dot& dot, replica::Dot& out) {
    out.set_replica(IndexOf(dot.replica));
    out.set_number(dot.number);
  }
  void Put(const CausalContext& context, replica::Context& out) {
    for (const auto& [replica, number] : context.vector()) Put({replica, number}, *out.add_up_to());
    if (base::IsPlanted(base::PlantedBug::kEarlyWritesNotEncoded)) return;
    for (const Dot& dot : context.cloud()) Put(dot, *out.add_others());
  }
  void Put(const Cell& cell, replica::Cell& out) {
    out.set_type(static_cast<std::uint32_t>(cell.type()));
    for (const Dot& dot : cell.presence().dots()) Put(dot, *out.add_presence());
    std::visit([&](const auto& data) { PutData(data, out); }, cell.data());
  }

 private:
  std::uint32_t IndexOf(ReplicaId replica) {
    const auto [place, is_new] = indices_.try_emplace(replica, static_cast<std::uint32_t>(indices_.size()));
    if (is_new) {
      replica::Replica& out = *out_.add_replicas();
      out.set_node(replica.node);
      out.set_life(replica.life);
    }
    return place->second;
  }

  void PutData(const std::monostate&, replica::Cell&) {}
  void PutData(const GCounter& counter, replica::Cell& out) { PutCounts(counter.dots(), out); }
  void PutData(const Vote& vote, replica::Cell& out) { PutCounts(vote.dots(), out); }
  void PutCounts(const DotFun<std::uint64_t>& counts, replica::Cell& out) {
    for (const auto& [dot, count] : counts.values()) {
      replica::Count& each = *out.add_counts();
      Put(dot, *each.mutable_dot());
      each.set_up(count);
    }
  }
  void PutData(const PNCounter& counter, replica::Cell& out) {
    for (const auto& [dot, count] : counter.dots().values()) {
      replica::Count& each = *out.add_counts();
      Put(dot, *each.mutable_dot());
      each.set_up(count.up);
      each.set_down(count.down);
    }
  }
  void PutData(const ElementSet& set, replica::Cell& out) {
    out.mutable_elements()->Reserve(static_cast<int>(set.elements().size()));
    for (const auto& [key, dots] : set.elements()) {
      replica::Element& each = *out.add_elements();
      each.set_key(key);
      for (const Dot& dot : dots.dots()) Put(dot, *each.add_dots());
    }
  }
  void PutData(const LwwRegister& written, replica::Cell& out) {
    for (const auto& [dot, stamped] : written.dots().values()) {
      replica::Write& each = *out.add_writes();
      Put(dot, *each.mutable_dot());
      each.set_value(stamped.value);
      each.set_timestamp(stamped.timestamp);
      each.set_writer(IndexOf(stamped.writer));
    }
  }
  void PutData(const Flag& flag, replica::Cell& out) {
    for (const Dot& dot : flag.dots().dots()) Put(dot, *out.add_enabled());
  }
  void PutData(const ORMap& map, replica::Cell& out) {
    for (const auto& [key, cells] : map.entries()) {
      replica::Entry& each = *out.add_entries();
      each.set_key(key);
      for (const Cell& cell : cells.all()) Put(cell, *each.add_cells());
    }
  }

  replica::State& out_;
  std::map<ReplicaId, std::uint32_t> indices_;
};

class Decoder {
 public:
  explicit Decoder(const replica::State& in) {
    for (const replica::Replica& each : in.replicas()) replicas_.push_back({each.node(), each.life()});
  }

  // False for what this cannot be.
  bool Take(const replica::Context& in, CausalContext& context) const {
    Dot dot;
    for (const replica::Dot& each : in.up_to()) {
      if (!Take(each, dot)) return false;
      context.AddUpTo(dot);
    }
    for (const replica::Dot& each : in.others()) {
      if (!Take(each, dot)) return false;
      context.Add(dot);
    }
    return true;
  }
  bool Take(const google::protobuf::RepeatedPtrField<replica::Cell>& in, Cells& cells, int depth) const {
    for (const replica::Cell& each : in) {
      if (each.type() < 1 || each.type() > kTypes || depth > kMostNested) return false;
      Cell& cell = cells.Of(static_cast<int>(each.type()));
      if (!Take(each.presence(), cell.presence())) return false;
      const bool taken = std::visit([&](auto& data) { return TakeData(each, data, depth); }, cell.data());
      if (!taken) return false;
    }
    return true;
  }

 private:
  bool Take(const replica::Dot& in, Dot& dot) const {
    if (in.replica() >= replicas_.size() || in.number() == 0 || in.number() > kMostWrites) return false;
    dot = {replicas_[in.replica()], in.number()};
    return true;
  }
  bool Take(const google::protobuf::RepeatedPtrField<replica::Dot>& in, DotSet& dots) const {
    Dot dot;
    for (const replica::Dot& each : in) {
      if (!Take(each, dot)) return false;
      dots.Put(dot);
    }
    return true;
  }

  bool TakeData(const replica::Cell&, std::monostate&, int) const { return false; }
  bool TakeData(const replica::Cell& in, GCounter& counter, int) const { return TakeCounts(in, counter.dots()); }
  bool TakeData(const replica::Cell& in, Vote& vote, int) const { return TakeCounts(in, vote.dots()); }
  bool TakeCounts(const replica::Cell& in, DotFun<std::uint64_t>& counts) const {
    Dot dot;
    for (const replica::Count& each : in.counts()) {
      if (!Take(each.dot(), dot)) return false;
      counts.Put(dot, each.up());
    }
    return true;
  }
  bool TakeData(const replica::Cell& in, PNCounter& counter, int) const {
    Dot dot;
    for (const replica::Count& each : in.counts()) {
      if (!Take(each.dot(), dot)) return false;
      counter.dots().Put(dot, {each.up(), each.down()});
    }
    return true;
  }
  bool TakeData(const replica::Cell& in, ElementSet& set, int) const {
    for (const replica::Element& each : in.elements()) {
      if (!Take(each.dots(), set.elements()[each.key()])) return false;
    }
    return true;
  }
  bool TakeData(const replica::Cell& in, LwwRegister& written, int) const {
    Dot dot;
    for (const replica::Write& each : in.writes()) {
      if (!Take(each.dot(), dot) || each.writer() >= replicas_.size()) return false;
      written.dots().Put(dot, {each.value(), each.timestamp(), replicas_[each.writer()]});
    }
    return true;
  }
  bool TakeData(const replica::Cell& in, Flag& flag, int) const { return Take(in.enabled(), flag.dots()); }
  bool TakeData(const replica::Cell& in, ORMap& map, int depth) const {
    for (const replica::Entry& each : in.entries()) {
      if (!Take(each.cells(), map.entries()[each.key()], depth + 1)) return false;
    }
    return true;
  }

  std::vector<ReplicaId> replicas_;
};

// Whether it names places where nothing is, as deltas alone do.
bool HasEmptyPlaces(const Cells& cells) {
  return cells.empty() || std::ranges::any_of(cells.all(), [](const Cell& cell) {
           if (cell.empty()) return true;
           const auto* map = std::get_if<ORMap>(&cell.data());
           if (map != nullptr) {
             return std::ranges::any_of(map->entries(), [](const auto& each) { return HasEmptyPlaces(each.second); });
           }
           const auto* or_set = std::get_if<ORSet>(&cell.data());
           const ElementSet* set =
               or_set != nullptr ? or_set : static_cast<const ElementSet*>(std::get_if<GSet>(&cell.data()));
           return set != nullptr &&
                  std::ranges::any_of(set->elements(), [](const auto& each) { return each.second.empty(); });
         });
}

// What joining and updating rely on.
bool IsConsistent(const State& state) {
  if (state.deleted()) return state.cells().all().empty() && state.context().empty();
  bool known = true;
  state.cells().VisitDots([&](const Dot& dot) { known = known && state.context().Contains(dot); });
  return known &&
         (state.kind() == State::Kind::kDelta || state.cells().all().empty() || !HasEmptyPlaces(state.cells()));
}

}  // namespace

std::string State::Encode() const {
  Scratch scratch;
  replica::State& out = scratch.message();
  out.set_version(kVersion);
  out.set_delta(kind_ == Kind::kDelta);
  out.set_deleted(deleted_);
  Encoder encoder(out);
  encoder.Put(context_, *out.mutable_context());
  for (const Cell& cell : cells_.all()) encoder.Put(cell, *out.add_cells());
  return out.SerializeAsString();
}

absl::StatusOr<State> State::Decode(const std::string& bytes) {
  Scratch scratch;
  replica::State& in = scratch.message();
  if (!in.ParseFromString(bytes)) return absl::InvalidArgumentError("these bytes are no replica of a CRDT");
  if (in.version() != kVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat("a replica of a CRDT in format ", in.version(), "; this version reads format ", kVersion));
  }
  State state(in.delta() ? Kind::kDelta : Kind::kWhole);
  state.deleted_ = in.deleted();
  const Decoder decoder(in);
  if (!decoder.Take(in.context(), state.context_) || !decoder.Take(in.cells(), state.cells_, 0) ||
      !IsConsistent(state)) {
    return absl::InvalidArgumentError("a replica of a CRDT that contradicts itself");
  }
  return state;
}

}  // namespace cloudstate::crdt
