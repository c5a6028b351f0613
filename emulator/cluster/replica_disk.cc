#include "emulator/cluster/replica_disk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/on_strand.h"

namespace cloudstate::cluster {
namespace {

constexpr absl::Duration kRetry = absl::Seconds(1);
// Shorter pieces than this together are not worth replacing.
constexpr std::size_t kShort = 4 << 10;
// What is asked of the store at a time.
constexpr std::size_t kBatch = 4 << 20;

}  // namespace

ReplicaDisk::ReplicaDisk(base::Strand& strand, journal::ReplicaStore* store, crdt::ReplicaId self,
                         absl::Duration interval, StateOf state_of,
                         std::function<void(const std::string&)> report_error)
    : strand_(strand),
      store_(store),
      self_(self),
      interval_(interval),
      state_of_(std::move(state_of)),
      report_error_(std::move(report_error)),
      open_(store == nullptr) {}

ReplicaDisk::~ReplicaDisk() { strand_.Cancel(timer_); }

// ---- reading

void ReplicaDisk::Open(Found found, absl::AnyInvocable<void()> opened) {
  if (open_ || opened_ != nullptr) return;
  found_ = std::move(found);
  opened_ = std::move(opened);
  Begin();
}

void ReplicaDisk::Begin() {
  auto begun = [this](const absl::StatusOr<std::vector<journal::ReplicaPiece>>& pieces) {
    if (pieces.ok()) return OnBegun(*pieces);
    if (!std::exchange(failing_, true)) {
      report_error_(absl::StrCat("node ", self_.node, " cannot read what it knows of CRDT entities, and tries again: ",
                                 pieces.status().message()));
    }
    timer_ = strand_.After(kRetry, lifetime_.Guard([this] { Begin(); }));
  };
  store_->BeginLife(self_.node, self_.life, base::OnStrand(strand_, lifetime_, std::move(begun)));
}

void ReplicaDisk::OnBegun(const std::vector<journal::ReplicaPiece>& pieces) {
  failing_ = false;
  timer_ = base::TimerId::kNone;
  std::map<base::EntityKey, crdt::State> states;
  for (const journal::ReplicaPiece& piece : pieces) {
    const absl::StatusOr<crdt::State> state = crdt::State::Decode(piece.state);
    if (!state.ok()) {
      report_error_(absl::StrCat("a part of what node ", self_.node, " knows of CRDT entity ", piece.key.ToString(),
                                 " is left out: ", state.status().message()));
      continue;
    }
    states[piece.key].Join(*state);
    kept_[piece.key].since += piece.state.size();
  }
  open_ = true;
  for (const auto& [key, state] : states) found_(key, state);
  opened_();
  if (!due_.empty()) SaveSoon(interval_);
}

// ---- writing

void ReplicaDisk::Add(const base::EntityKey& key, const crdt::State& change) {
  if (store_ == nullptr) return;
  if (change.kind() == crdt::State::Kind::kWhole) return AddWhole(key);
  Due& due = due_[key];
  if (!due.whole) due.change.Join(change);
  SaveSoon(interval_);
}

void ReplicaDisk::AddWhole(const base::EntityKey& key) {
  if (store_ == nullptr) return;
  due_[key] = {.whole = true};
  SaveSoon(interval_);
}

// Not before it is open, since a whole state replaces what has not been read.
void ReplicaDisk::SaveSoon(absl::Duration time) {
  if (!open_ || on_way_ > 0 || timer_ != base::TimerId::kNone) return;
  timer_ = strand_.After(time, lifetime_.Guard([this] { Save(); }));
}

void ReplicaDisk::Save() {
  if (!open_) return;
  strand_.Cancel(std::exchange(timer_, base::TimerId::kNone));
  std::vector<journal::ReplicaPiece> batch;
  std::size_t bytes = 0;
  for (const auto& [key, due] : std::exchange(due_, {})) {
    batch.push_back(Take(key, due));
    bytes += batch.back().state.size();
    if (bytes < kBatch) continue;
    Keep(std::exchange(batch, {}));
    bytes = 0;
  }
  if (!batch.empty()) Keep(std::move(batch));
}

journal::ReplicaPiece ReplicaDisk::Take(const base::EntityKey& key, const Due& due) {
  journal::ReplicaPiece piece{.node = self_.node, .key = key, .whole = due.whole};
  Kept& kept = kept_[key];
  if (!piece.whole) {
    piece.state = due.change.Encode();
    kept.since += piece.state.size();
    piece.whole = kept.since > std::max(kept.whole, kShort);
  }
  if (piece.whole) {
    piece.state = state_of_(key).Encode();
    kept = {.whole = piece.state.size()};
  }
  return piece;
}

void ReplicaDisk::Keep(std::vector<journal::ReplicaPiece> pieces) {
  std::vector<base::EntityKey> keys;
  for (const journal::ReplicaPiece& piece : pieces) keys.push_back(piece.key);
  ++on_way_;
  auto kept = [this, keys = std::move(keys)](const absl::Status& status) { OnKept(keys, status); };
  store_->Keep(std::move(pieces), base::OnStrand(strand_, lifetime_, std::move(kept)));
}

void ReplicaDisk::OnKept(const std::vector<base::EntityKey>& keys, const absl::Status& status) {
  --on_way_;
  if (!status.ok()) {
    if (!std::exchange(failing_, true)) {
      report_error_(absl::StrCat("node ", self_.node,
                                 " cannot keep what it knows of CRDT entities, and tries again: ", status.message()));
    }
    failed_ = true;
    for (const base::EntityKey& key : keys) due_[key] = {.whole = true};
  }
  if (on_way_ > 0) return;
  failing_ = std::exchange(failed_, false);
  if (!due_.empty()) SaveSoon(failing_ ? kRetry : interval_);
}

void ReplicaDisk::KeepOnly(const std::vector<crdt::ReplicaId>& nodes, absl::AnyInvocable<void(bool)> done) {
  if (store_ == nullptr) return done(true);
  std::vector<std::uint32_t> numbers;
  for (const crdt::ReplicaId node : nodes) numbers.push_back(node.node);
  auto emptied = [this, done = std::move(done)](const absl::Status& status) mutable {
    if (!status.ok()) {
      report_error_(
          absl::StrCat("what nodes that have gone knew of CRDT entities cannot be removed: ", status.message()));
    }
    done(status.ok());
  };
  store_->KeepOnly(std::move(numbers), base::OnStrand(strand_, lifetime_, std::move(emptied)));
}

}  // namespace cloudstate::cluster
