// What a replica is on its way to another node, and on disk. By hand, since most deltas are of a few bytes, of which a
// library's messages would make a dozen objects.
//
//   state    = version flags context cells            flags: 1 a delta, 2 deleted
//   context  = dots dots                              all writes up to those; and beyond them, one by one
//   cells    = count (type dots data)*                the type's number in CrdtDelta; its presence
//   data     = count (dot up)*                        GCounter; Vote, the number of changes as ups
//            | count (dot up down)*                   PNCounter
//            | count (bytes dots)*                    GSet, ORSet: elements, by KeyOf
//            | count (dot bytes timestamp replica)*   LWWRegister: what was written, when, and by whom
//            | dots                                   Flag
//            | count (bytes cells)*                   ORMap: entries, by KeyOf
//   dots     = count dot*
//   dot      = replica number
//   replica  = place (node life)?                     among those named before; the next place is a new one's
//   bytes    = count byte*
//
// Everything else is a number: seven bits in each byte, the lowest first, the eighth bit set where more follow.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "emulator/base/planted_bug.h"
#include "emulator/crdt/state.h"

namespace cloudstate::crdt {
namespace {

// A reader refuses what is later than it knows.
constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kIsDelta = 1;
constexpr std::uint64_t kIsDeleted = 2;
// More than a replica ever writes, so that counting on does not wrap.
constexpr std::uint64_t kMostWrites = std::numeric_limits<std::uint64_t>::max() / 2;
// Deeper than the protocol's messages can be nested.
constexpr int kMostNested = 45;
constexpr std::size_t kUsual = 96;  // bytes of a delta

// Whether it is made of values under dots.
template <typename Type>
concept HasValues = requires(const Type& data) {
  data.dots().values();
};

class Encoder {
 public:
  Encoder() { out_.reserve(kUsual); }
  void Put(std::uint64_t number) {
    for (; number >= 0x80; number >>= 7) out_.push_back(static_cast<char>(number | 0x80));
    out_.push_back(static_cast<char>(number));
  }
  void Put(const CausalContext& context) {
    Put(context.vector().size());
    for (const auto& [replica, number] : context.vector()) Put(Dot{replica, number});
    const bool left_out = base::IsPlanted(base::PlantedBug::kEarlyWritesNotEncoded);
    PutDots(left_out ? std::set<Dot>() : context.cloud());
  }
  void Put(const Cells& cells) {
    Put(cells.all().size());
    for (const Cell& cell : cells.all()) {
      Put(static_cast<std::uint64_t>(cell.type()));
      PutDots(cell.presence().dots());
      std::visit([&](const auto& data) { PutData(data); }, cell.data());
    }
  }
  std::string Take() { return std::move(out_); }

 private:
  void Put(const std::string& bytes) {
    Put(bytes.size());
    out_.append(bytes);
  }
  void Put(ReplicaId replica) {
    const auto place = std::ranges::find(replicas_, replica);
    Put(static_cast<std::uint64_t>(place - replicas_.begin()));
    if (place != replicas_.end()) return;
    replicas_.push_back(replica);
    Put(std::uint64_t{replica.node});
    Put(replica.life);
  }
  void Put(const Dot& dot) {
    Put(dot.replica);
    Put(dot.number);
  }
  template <typename Dots>
  void PutDots(const Dots& dots) {
    Put(dots.size());
    for (const Dot& dot : dots) Put(dot);
  }

  void PutValue(std::uint64_t count) { Put(count); }
  void PutValue(const PNCounter::Count& count) {
    Put(count.up);
    Put(count.down);
  }
  void PutValue(const LwwRegister::Stamped& stamped) {
    Put(stamped.value);
    Put(static_cast<std::uint64_t>(stamped.timestamp));
    Put(stamped.writer);
  }

  void PutData(const std::monostate&) {}
  void PutData(const Flag& flag) { PutDots(flag.dots().dots()); }
  void PutData(const ElementSet& set) {
    Put(set.elements().size());
    for (const auto* each : set.Sorted()) {
      Put(each->first);
      PutDots(each->second.dots());
    }
  }
  void PutData(const ORMap& map) {
    Put(map.entries().size());
    for (const auto& [key, cells] : map.entries()) {
      Put(key);
      Put(cells);
    }
  }
  template <HasValues Type>
  void PutData(const Type& data) {
    Put(data.dots().values().size());
    for (const auto& [dot, value] : data.dots().values()) {
      Put(dot);
      PutValue(value);
    }
  }

  std::string out_;
  std::vector<ReplicaId> replicas_;  // each at its place
};

// What comes after the first mistake is of no meaning, and ends soon.
class Decoder {
 public:
  explicit Decoder(absl::string_view in) : in_(in) {}

  // Whether all of it has been taken, without a mistake.
  bool IsDone() const { return good_ && in_.empty(); }

  std::uint64_t Number() {
    std::uint64_t number = 0;
    for (int shift = 0; shift < 64 && !in_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(in_.front());
      in_.remove_prefix(1);
      number |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return number;
    }
    Fail();
    return 0;
  }
  void Take(CausalContext& context) {
    TakeDots([&](const Dot& dot) { context.AddUpTo(dot); });
    TakeDots([&](const Dot& dot) { context.Add(dot); });
  }
  void Take(Cells& cells, int depth) {
    for (std::size_t left = Count(); left > 0; --left) {
      const std::uint64_t type = Number();
      if (type < 1 || type > kTypes || depth > kMostNested) return Fail();
      Cell& cell = cells.Of(static_cast<int>(type));
      Take(cell.presence());
      std::visit([&](auto& data) { TakeData(data, depth); }, cell.data());
    }
  }

 private:
  void Fail() {
    good_ = false;
    in_ = {};
  }
  // Of things of at least a byte each.
  std::size_t Count() {
    const std::uint64_t count = Number();
    if (count <= in_.size()) return count;
    Fail();
    return 0;
  }
  std::string Bytes() {
    const std::size_t size = Count();
    std::string bytes(in_.substr(0, size));
    in_.remove_prefix(size);
    return bytes;
  }
  ReplicaId TakeReplica() {
    const std::uint64_t place = Number();
    if (place < replicas_.size()) return replicas_[place];
    const std::uint64_t node = Number();
    const ReplicaId replica = {static_cast<std::uint32_t>(node), Number()};
    if (place > replicas_.size() || node != replica.node) Fail();
    return replicas_.emplace_back(replica);
  }
  Dot TakeDot() {
    Dot dot;
    dot.replica = TakeReplica();
    dot.number = Number();
    if (dot.number == 0 || dot.number > kMostWrites) Fail();
    return dot;
  }
  template <typename Put>
  void TakeDots(const Put& put) {
    for (std::size_t left = Count(); left > 0 && good_; --left) {
      const Dot dot = TakeDot();
      if (good_) put(dot);
    }
  }
  void Take(DotSet& dots) {
    TakeDots([&](const Dot& dot) { dots.Put(dot); });
  }

  void TakeValue(std::uint64_t& count) { count = Number(); }
  void TakeValue(PNCounter::Count& count) {
    count.up = Number();
    count.down = Number();
  }
  void TakeValue(LwwRegister::Stamped& stamped) {
    stamped.value = Bytes();
    stamped.timestamp = static_cast<std::int64_t>(Number());
    stamped.writer = TakeReplica();
  }

  void TakeData(std::monostate&, int) { Fail(); }
  void TakeData(Flag& flag, int) { Take(flag.dots()); }
  void TakeData(ElementSet& set, int) {
    std::size_t left = Count();
    set.elements().reserve(left);
    for (; left > 0 && good_; --left) Take(set.elements()[Bytes()]);
  }
  void TakeData(ORMap& map, int depth) {
    for (std::size_t left = Count(); left > 0 && good_; --left) Take(map.entries()[Bytes()], depth + 1);
  }
  template <HasValues Type>
  void TakeData(Type& data, int) {
    for (std::size_t left = Count(); left > 0 && good_; --left) {
      const Dot dot = TakeDot();
      typename std::decay_t<decltype(data.dots().values())>::mapped_type value{};
      TakeValue(value);
      data.dots().Put(dot, std::move(value));
    }
  }

  absl::string_view in_;
  bool good_ = true;
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
  Encoder out;
  out.Put(kVersion);
  out.Put((kind_ == Kind::kDelta ? kIsDelta : 0) | (deleted_ ? kIsDeleted : 0));
  out.Put(context_);
  out.Put(cells_);
  return out.Take();
}

absl::StatusOr<State> State::Decode(const std::string& bytes) {
  Decoder in(bytes);
  if (const std::uint64_t version = in.Number(); version != kVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat("a replica of a CRDT in format ", version, "; this version reads format ", kVersion));
  }
  const std::uint64_t flags = in.Number();
  State state((flags & kIsDelta) != 0 ? Kind::kDelta : Kind::kWhole);
  state.deleted_ = (flags & kIsDeleted) != 0;
  in.Take(state.context_);
  in.Take(state.cells_, 0);
  if (!in.IsDone() || flags > (kIsDelta | kIsDeleted) || !IsConsistent(state)) {
    return absl::InvalidArgumentError("these bytes are no replica of a CRDT");
  }
  return state;
}

}  // namespace cloudstate::crdt
