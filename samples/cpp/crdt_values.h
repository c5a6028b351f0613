#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/any.pb.h"

namespace cloudstate::crdt {
class CrdtDelta;
}

namespace cloudstate::samples {

// The values of CRDTs as a user function has them: plain ones, without what replicas need to merge. Each remembers what
// was done to it here, until the proxy is told. All of them have, next to what makes them useful:
//   changed()            whether there is anything to tell
//   TakeDelta(delta)     writes it, and forgets it; without changes an empty delta of the type
//   Apply(delta)         what the proxy tells: the whole value for a new one, later how others have changed it.
//                        INVALID_ARGUMENT when the delta is another type's, OUT_OF_RANGE when a sum is too large
// Not for several threads at once.

// Elements and keys are the same if their type URLs and bytes are.
struct AnyOrder {
  bool operator()(const google::protobuf::Any& a, const google::protobuf::Any& b) const {
    return std::pair(std::string_view(a.type_url()), std::string_view(a.value())) <
           std::pair(std::string_view(b.type_url()), std::string_view(b.value()));
  }
};
using AnySet = std::set<google::protobuf::Any, AnyOrder>;

// A string as the published libraries put it into an element, key or value.
google::protobuf::Any ToAny(std::string_view text);
// Null: it is no such string.
std::optional<std::string> ToString(const google::protobuf::Any& any);

class GCounter {
 public:
  std::uint64_t value() const { return value_; }
  // OUT_OF_RANGE, and nothing is changed, when the sum would not fit.
  absl::Status Increment(std::uint64_t by);

  bool changed() const { return increment_ != 0; }
  void TakeDelta(crdt::CrdtDelta& delta);
  absl::Status Apply(const crdt::CrdtDelta& delta);

 private:
  std::uint64_t value_ = 0;
  std::uint64_t increment_ = 0;
};

class PNCounter {
 public:
  std::int64_t value() const { return value_; }
  // OUT_OF_RANGE, and nothing is changed, when the sum would not fit.
  absl::Status Change(std::int64_t by);

  bool changed() const { return change_ != 0; }
  void TakeDelta(crdt::CrdtDelta& delta);
  absl::Status Apply(const crdt::CrdtDelta& delta);

 private:
  std::int64_t value_ = 0;
  std::int64_t change_ = 0;
};

class GSet {
 public:
  const AnySet& elements() const { return elements_; }
  void Add(const google::protobuf::Any& element);

  bool changed() const { return !added_.empty(); }
  void TakeDelta(crdt::CrdtDelta& delta);
  absl::Status Apply(const crdt::CrdtDelta& delta);

 private:
  AnySet elements_;
  AnySet added_;
};

class ORSet {
 public:
  const AnySet& elements() const { return elements_; }
  void Add(const google::protobuf::Any& element);
  void Remove(const google::protobuf::Any& element);
  void Clear();

  bool changed() const { return cleared_ || !removed_.empty() || !added_.empty(); }
  void TakeDelta(crdt::CrdtDelta& delta);
  absl::Status Apply(const crdt::CrdtDelta& delta);

 private:
  AnySet elements_;
  // Done in this order; an element is in one of the two at most.
  bool cleared_ = false;
  AnySet removed_;
  AnySet added_;
};

// Which of two writes is the last one.
enum class Clock {
  kDefault,              // by the time of the node
  kReverse,              // the first write stays
  kCustom,               // by the number given
  kCustomAutoIncrement,  // by the number given, or one more than the last if that is larger
};

class LWWRegister {
 public:
  // Of an entity or entry that is new: the proxy is told the first value, too.
  explicit LWWRegister(google::protobuf::Any first) : value_(std::move(first)) {}

  const google::protobuf::Any& value() const { return value_; }
  // `custom_clock` only counts with a custom clock.
  void Set(const google::protobuf::Any& value, Clock clock = Clock::kDefault, std::int64_t custom_clock = 0);

  bool changed() const { return changed_; }
  void TakeDelta(crdt::CrdtDelta& delta);
  absl::Status Apply(const crdt::CrdtDelta& delta);

 private:
  google::protobuf::Any value_;
  Clock clock_ = Clock::kDefault;
  std::int64_t custom_clock_ = 0;
  bool changed_ = true;
};

class Flag {
 public:
  bool value() const { return value_; }
  // For good.
  void Enable();

  bool changed() const { return enabled_here_; }
  void TakeDelta(crdt::CrdtDelta& delta);
  absl::Status Apply(const crdt::CrdtDelta& delta);

 private:
  bool value_ = false;
  bool enabled_here_ = false;
};

// Each node has one vote.
class Vote {
 public:
  bool self_vote() const { return self_vote_; }
  std::int32_t votes_for() const { return votes_for_; }
  std::int32_t total_voters() const { return total_voters_; }
  // This node's vote.
  void Set(bool vote);

  bool changed() const { return self_vote_ != told_vote_; }
  void TakeDelta(crdt::CrdtDelta& delta);
  absl::Status Apply(const crdt::CrdtDelta& delta);

 private:
  bool self_vote_ = false;
  bool told_vote_ = false;  // as the proxy knows it
  std::int32_t votes_for_ = 0;
  std::int32_t total_voters_ = 1;
};

class Crdt;

class ORMap {
 public:
  using Entries = std::map<google::protobuf::Any, std::unique_ptr<Crdt>, AnyOrder>;

  ORMap();
  ~ORMap();
  ORMap(const ORMap& other);
  ORMap& operator=(const ORMap& other);
  ORMap(ORMap&&) noexcept;
  ORMap& operator=(ORMap&&) noexcept;

  const Entries& entries() const { return entries_; }
  // Null: there is none. Holds until the entry is removed, here or elsewhere.
  const Crdt* Find(const google::protobuf::Any& key) const;
  Crdt* Find(const google::protobuf::Any& key);
  // The entry, made from `first` if there is none. Change it as it stands there.
  Crdt& GetOrAdd(const google::protobuf::Any& key, const Crdt& first);
  void Remove(const google::protobuf::Any& key);
  void Clear();

  bool changed() const;
  void TakeDelta(crdt::CrdtDelta& delta);
  absl::Status Apply(const crdt::CrdtDelta& delta);

 private:
  absl::Status ApplyAdded(const google::protobuf::Any& key, const crdt::CrdtDelta& delta);

  Entries entries_;
  // Done in this order. A key in both was replaced. The other entries know themselves whether they have changed.
  bool cleared_ = false;
  AnySet removed_;
  AnySet added_;
};

// A CRDT of any type.
class Crdt {
 public:
  using Types = std::variant<GCounter, PNCounter, GSet, ORSet, LWWRegister, Flag, ORMap, Vote>;

  template <typename Type>
  requires std::constructible_from<Types, std::in_place_type_t<Type>, Type> Crdt(Type type)
      : type_(std::move(type)) {}  // NOLINT(google-explicit-constructor): each of them is a CRDT

  // What the proxy has of an entity or entry that is new here. INVALID_ARGUMENT when there is nothing in the delta.
  static absl::StatusOr<Crdt> FromDelta(const crdt::CrdtDelta& delta);

  // Null: it is of another type.
  template <typename Type>
  const Type* As() const {
    return std::get_if<Type>(&type_);
  }
  template <typename Type>
  Type* As() {
    return std::get_if<Type>(&type_);
  }
  // For std::visit.
  const Types& type() const { return type_; }
  Types& type() { return type_; }

  bool changed() const;
  void TakeDelta(crdt::CrdtDelta& delta);
  absl::Status Apply(const crdt::CrdtDelta& delta);

 private:
  Types type_;
};

}  // namespace cloudstate::samples
