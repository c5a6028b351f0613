#include "tests/bench/crdt_set.h"

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "emulator/crdt/element.h"
#include "emulator/crdt/update.h"
#include "emulator/entities/crdt_entity.h"
#include "tests/support/fake_connection.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::bench {
namespace {

using crdt::CrdtDelta;

constexpr crdt::ReplicaId kA = {1, 1'700'000'000'000};
constexpr int kCommands = 2'000;

// In no order, as users' names are.
void Add(std::size_t element, CrdtDelta& change) {
  google::protobuf::Any& added = *change.mutable_orset()->add_added();
  added.set_type_url("p.cloudstate.io/string");
  added.set_value(absl::StrCat("\n\x0fuser-", static_cast<std::uint32_t>(element) * 2'654'435'761U));
}

// Of the processor: others that want it do not count.
double Now() { return static_cast<double>(std::clock()) * (1e9 / CLOCKS_PER_SEC); }

// A replica that no other node knows of.
class LocalReplica final : public entities::CrdtReplica {
 public:
  const crdt::State& state() const override { return state_; }
  crdt::ReplicaId self() const override { return kA; }
  const crdt::Voters& voters() const override { return voters_; }
  void Read(absl::AnyInvocable<void()> read) override { read(); }
  absl::Status Update(const CrdtDelta& update, crdt::CrdtWriteConsistency,
                      absl::AnyInvocable<void(absl::Status)> written) override {
    const absl::StatusOr<crdt::State> delta = crdt::Update(state_, update, kA, 1);
    if (delta.ok()) written(absl::OkStatus());
    return delta.status();
  }
  void Delete(crdt::CrdtWriteConsistency, absl::AnyInvocable<void(absl::Status)> written) override {
    state_.Delete();
    written(absl::OkStatus());
  }

 private:
  crdt::State state_;
  const crdt::Voters voters_ = {kA};
};

class EntityOfSet final : public entities::Host {
 public:
  // One command; the user function answers it with this change. False where that went wrong.
  bool Run(const CrdtDelta& change) {
    bool done = false;
    auto command = std::make_shared<entities::CrdtCommand>();
    command->trace = std::make_shared<trace::Trace>();
    command->answered = [](const entities::Reply&) {};
    command->ended = [&](const absl::Status& status) { done = status.ok(); };
    entity_.Deliver(std::move(command));
    crdt::CrdtStreamOut out;
    out.mutable_reply()->set_command_id(++commands_);
    *out.mutable_reply()->mutable_state_action()->mutable_update() = change;
    connection_->streams.front()->handler.on_message(out.SerializeAsString());
    return done;
  }

  void OnStopped() override {}
  void OnIdle(bool) override {}
  std::shared_ptr<userfunction::Connection> CurrentConnection() override { return connection_; }
  void ReportError(const std::string&) override {}

 private:
  std::int64_t commands_ = 0;
  std::shared_ptr<testing::FakeConnection> connection_ = std::make_shared<testing::FakeConnection>();
  testing::VirtualStrand strand_;
  LocalReplica replica_;
  trace::EntityMetrics metrics_;
  trace::NodeLoad load_;
  entities::CrdtEntity entity_{
      {"set", "a"}, "bench.Sets", {strand_, replica_, metrics_, load_, {}, userfunction::Dialect::k0_2}, *this};
};

}  // namespace

absl::StatusOr<SetFigures> MeasureSet(std::size_t elements) {
  std::vector<CrdtDelta> changes(elements);
  for (std::size_t i = 0; i < elements; ++i) Add(i, changes[i]);
  SetFigures figures;
  auto lap = [&, since = Now()](double& figure) mutable {
    figure = (Now() - since) / static_cast<double>(elements);
    since = Now();
  };
  crdt::State a;
  std::vector<crdt::State> deltas;
  deltas.reserve(elements);
  double skipped = 0;
  lap(skipped);
  for (const CrdtDelta& each : changes) {
    absl::StatusOr<crdt::State> delta = crdt::Update(a, each, kA, 1);
    if (!delta.ok()) return delta.status();
    deltas.push_back(*std::move(delta));
  }
  lap(figures.add);
  crdt::State b;
  for (const crdt::State& each : deltas) {
    const std::string sent = each.Encode();
    const absl::StatusOr<crdt::State> delta = crdt::State::Decode(sent);
    if (!delta.ok()) return delta.status();
    b.Join(*delta);
    figures.delta_bytes += static_cast<double>(sent.size()) / static_cast<double>(elements);
  }
  lap(figures.take);
  const std::string whole = a.Encode();
  crdt::State c;
  const absl::StatusOr<crdt::State> state = crdt::State::Decode(whole);
  if (!state.ok()) return state.status();
  c.Join(*state);
  lap(figures.merge);
  figures.whole_bytes = static_cast<double>(whole.size()) / static_cast<double>(elements);
  if (a != b || a != c) return absl::InternalError("the replicas differ");
  lap(skipped);
  absl::btree_set<std::string> plain;
  for (const CrdtDelta& each : changes) plain.insert(crdt::KeyOf(each.orset().added(0)));
  lap(figures.keep);
  return figures;
}

absl::StatusOr<double> MeasureEntityOfSet(std::size_t elements) {
  EntityOfSet entity;
  CrdtDelta all;
  for (std::size_t i = 0; i < elements; ++i) Add(i, all);
  if (!entity.Run(all)) return absl::InternalError("the entity has failed");
  const double before = Now();
  for (std::size_t i = 0; i < kCommands; ++i) {
    CrdtDelta one;
    Add(elements + i, one);
    if (!entity.Run(one)) return absl::InternalError("the entity has failed");
  }
  return (Now() - before) / kCommands;
}

}  // namespace cloudstate::bench
