#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cloudstate/crdt.pb.h"
#include "emulator/crdt/dot.h"
#include "emulator/crdt/value.h"

namespace cloudstate::crdt {

// What the CRDTs promise, said in the plainest way, for tests: a log of all that was ever done on any replica, where
// each operation names those that its replica showed and that it takes the place of. What a replica shows is what it
// has heard of, without that whose place is taken by something it has heard of (Burckhardt, Gotsman, Yang, Zawirski,
// "Replicated data types: specification, verification, optimality", 2014). Nothing is ever joined or forgotten.
//
// Elements, keys and values are `Any`s of one character, numbers are small.
class Model {
 public:
  static constexpr std::size_t kMostOperations = 256;
  // What a replica has heard of: places in the log.
  using Known = std::bitset<kMostOperations>;

  // What a user function does on the replica, which then knows it. False where it has to be refused.
  bool Update(const CrdtDelta& update, ReplicaId self, std::int64_t now, Known& known);
  void Delete(Known& known);
  // How many operations are shown, each of which takes a replica one dot.
  std::size_t DotsAt(const Known& known) const;
  std::optional<Value> ValueAt(const Known& known, ReplicaId self, const Voters& voters) const;

 private:
  struct Operation {
    // A touch says that its place is there; a removal says nothing but what it takes the place of.
    enum class Kind { kTouch, kCount, kAdd, kWrite, kEnable, kVote, kRemove, kDelete };
    Kind kind = Kind::kRemove;
    int type = 0;
    std::string path;  // the keys that lead to the place
    char name = 0;     // of an element, of a register's value
    ReplicaId replica;
    std::int64_t number = 0;  // counted by the replica in all, a timestamp, a vote
    Known replaced;
  };
  using Kind = Operation::Kind;

  // One update under way.
  struct Scene {
    ReplicaId self;
    std::int64_t now;
    Known& known;
    Known shown;
  };

  Known Shown(const Known& known) const;
  template <typename Picks>
  Known Pick(const Known& shown, const Picks& picks) const;
  const Operation* Last(const Known& picked) const;
  const Operation* Winner(const Known& writes) const;
  void Put(Operation operation, Scene& scene);
  void Remove(const Known& what, Scene& scene);
  // The type that counts; 0 where there is nothing.
  int TypeAt(const std::string& path, const Known& shown) const;
  bool Refuses(const CrdtDelta& update, const std::string& path, const Known& shown) const;
  void Apply(const CrdtDelta& update, const std::string& path, Scene& scene);
  void ApplyToMap(const ORMapDelta& update, const std::string& path, Scene& scene);
  void Touch(const std::string& path, int type, Scene& scene);
  void Write(const LWWRegisterDelta& write, const std::string& path, Scene& scene);
  Value ValueOf(int type, const std::string& path, const Known& shown, ReplicaId self, const Voters& voters) const;

  std::vector<Operation> log_;
};

}  // namespace cloudstate::crdt
