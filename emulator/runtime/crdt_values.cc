#include "emulator/runtime/crdt_values.h"

#include <algorithm>
#include <string>
#include <variant>

#include "emulator/crdt/element.h"

namespace cloudstate::runtime {
namespace {

void PutPayload(const std::string& key, dev::v1::Payload& payload) {
  const google::protobuf::Any any = crdt::AnyOf(key);
  payload.set_type_url(any.type_url());
  payload.set_value(any.value());
}

// Writes a value down, until it has written so many elements.
class ValueWriter {
 public:
  ValueWriter(crdt::ReplicaId self, const crdt::Voters& voters, std::size_t most)
      : self_(self), voters_(voters), left_(most) {}

  void Write(const crdt::Cell& cell, dev::v1::CrdtValue& value) {
    value.set_type(std::string(crdt::TypeName(cell.type())));
    std::visit([&](const auto& data) { WriteData(data, value); }, cell.data());
  }

 private:
  static void WriteData(const std::monostate&, dev::v1::CrdtValue&) {}
  static void WriteData(const crdt::GCounter& counter, dev::v1::CrdtValue& value) { value.set_count(counter.value()); }
  static void WriteData(const crdt::PNCounter& counter, dev::v1::CrdtValue& value) {
    value.set_number(counter.value());
  }
  static void WriteData(const crdt::Flag& flag, dev::v1::CrdtValue& value) { value.set_enabled(flag.value()); }
  static void WriteData(const crdt::LwwRegister& written, dev::v1::CrdtValue& value) {
    const auto* stamped = written.value();
    if (stamped != nullptr && stamped->value.size() > 1) PutPayload(stamped->value, *value.mutable_registered());
  }
  void WriteData(const crdt::Vote& vote, dev::v1::CrdtValue& value) const {
    const crdt::Vote::Tally tally = vote.value(self_, voters_);
    value.mutable_votes()->set_votes_for(tally.votes_for);
    value.mutable_votes()->set_total(tally.total);
    value.mutable_votes()->set_self(tally.self);
  }
  void WriteData(const crdt::ElementSet& set, dev::v1::CrdtValue& value) {
    value.set_size(static_cast<std::int64_t>(set.elements().size()));
    std::vector<const std::string*> keys;
    for (const auto& [key, dots] : set.elements()) keys.push_back(&key);
    const auto end = keys.begin() + static_cast<std::ptrdiff_t>(std::min(keys.size(), left_));
    std::partial_sort(keys.begin(), end, keys.end(), [](const auto* a, const auto* b) { return *a < *b; });
    for (auto key = keys.begin(); key != end; ++key, --left_) PutPayload(**key, *value.add_elements());
  }
  void WriteData(const crdt::ORMap& map, dev::v1::CrdtValue& value) {
    value.set_size(static_cast<std::int64_t>(map.entries().size()));
    for (const auto& [key, cells] : map.entries()) {
      const crdt::Cell* inner = cells.Current();
      if (inner == nullptr) continue;
      if (left_ == 0) return;
      --left_;
      dev::v1::CrdtEntry& entry = *value.add_entries();
      PutPayload(key, *entry.mutable_key());
      Write(*inner, *entry.mutable_value());
    }
  }

  const crdt::ReplicaId self_;
  const crdt::Voters& voters_;
  std::size_t left_;
};

}  // namespace

std::optional<dev::v1::CrdtValue> ValueView(const crdt::State& state, crdt::ReplicaId self, const crdt::Voters& voters,
                                            std::size_t most) {
  const crdt::Cell* cell = state.deleted() ? nullptr : state.cells().Current();
  if (cell == nullptr) return std::nullopt;
  dev::v1::CrdtValue value;
  ValueWriter(self, voters, most).Write(*cell, value);
  return value;
}

Writes WritesIn(const crdt::CausalContext& known, const crdt::CausalContext& but) {
  Writes writes;
  const auto add = [&](crdt::ReplicaId replica, std::uint64_t first, std::uint64_t last) {
    if (first > last) return;
    auto& ranges = writes[replica];
    if (!ranges.empty() && ranges.back().second + 1 == first) {
      ranges.back().second = last;
    } else {
      ranges.emplace_back(first, last);
    }
  };
  for (const auto& [replica, last] : known.vector()) {
    const auto also = but.vector().find(replica);
    std::uint64_t first = also == but.vector().end() ? 1 : also->second + 1;
    for (auto dot = but.cloud().lower_bound({replica, first}); dot != but.cloud().end(); ++dot) {
      if (dot->replica != replica || dot->number > last) break;
      add(replica, first, dot->number - 1);
      first = dot->number + 1;
    }
    add(replica, first, last);
  }
  for (const crdt::Dot& dot : known.cloud()) {
    if (!but.Contains(dot)) add(dot.replica, dot.number, dot.number);
  }
  return writes;
}

dev::v1::CrdtWrites WritesView(const Writes::value_type& writes) {
  dev::v1::CrdtWrites result;
  result.set_node(static_cast<std::int32_t>(writes.first.node));
  result.set_incarnation(static_cast<std::int64_t>(writes.first.life));
  for (const auto& [first, last] : writes.second) {
    dev::v1::CrdtWriteRange& range = *result.add_ranges();
    range.set_first(static_cast<std::int64_t>(first));
    range.set_last(static_cast<std::int64_t>(last));
  }
  return result;
}

}  // namespace cloudstate::runtime
