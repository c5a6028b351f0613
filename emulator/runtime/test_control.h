#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "emulator/admin/control.h"
#include "emulator/base/lifetime.h"
#include "emulator/base/strand.h"
#include "emulator/cluster/cluster.h"
#include "emulator/journal/copies.h"
#include "emulator/journal/journal.h"
#include "emulator/runtime/fault_book.h"
#include "emulator/runtime/seeding.h"
#include "emulator/runtime/user_functions.h"
#include "emulator/trace/trace.h"

namespace cloudstate::runtime {

class NamedTypes;

// What users' tests do to an emulator. Any thread; the work is done on the strand. What changes stored state as a whole
// is done one after the other.
class TestControl final : public admin::Control {
 public:
  // All outlive this.
  struct Parts {
    base::Strand& strand;
    cluster::Cluster& cluster;
    journal::Journal& journal;
    journal::Copies& copies;
    trace::Recorder& recorder;
    UserFunctions& user_functions;
    FaultBook& faults;
    // Lets the strand's time go on, as base::RealStrand does. On the strand.
    std::function<void(absl::Duration by, base::Task done)> advance;
  };
  struct Options {
    std::size_t nodes = 1;   // at the start, and so after a reset
    bool may_reset = false;  // nobody misses what is stored
    EntityRows::OpenJournal open_journal;
  };
  // Destroyed on the strand.
  TestControl(const Parts& parts, Options options);
  ~TestControl() override;

  void Reset(const dev::v1::ResetRequest& request, Done<dev::v1::ResetResponse> done) override;
  void Seed(const dev::v1::SeedRequest& request, Done<dev::v1::SeedResponse> done) override;
  void Evict(const dev::v1::EvictRequest& request, Done<dev::v1::EvictResponse> done) override;
  void SaveState(const dev::v1::SaveStateRequest& request, Done<dev::v1::SavedState> done) override;
  void RestoreState(const dev::v1::RestoreStateRequest& request, Done<dev::v1::SavedState> done) override;
  void ListStates(const dev::v1::ListStatesRequest& request, Done<dev::v1::ListStatesResponse> done) override;
  void Wait(const dev::v1::WaitRequest& request, Done<dev::v1::WaitResponse> done) override;
  void AdvanceTime(const dev::v1::AdvanceTimeRequest& request, Done<dev::v1::AdvanceTimeResponse> done) override;
  void InjectFault(const dev::v1::InjectFaultRequest& request, Done<dev::v1::Fault> done) override;
  void ListFaults(const dev::v1::ListFaultsRequest& request, Done<dev::v1::ListFaultsResponse> done) override;
  void ClearFaults(const dev::v1::ClearFaultsRequest& request, Done<dev::v1::ListFaultsResponse> done) override;
  void GetTypes(const dev::v1::GetTypesRequest& request, Done<dev::v1::Types> done) override;

 private:
  struct Saved {
    std::uint64_t copy = 0;  // the journal's
    journal::StoredAmount amount;
    cluster::CrdtStates crdts;
  };
  struct Waiting;

  static dev::v1::SavedState Describe(const std::string& name, const Saved& saved);

  // `begin` runs when those before it have called EndTurn.
  void InTurn(base::Task begin);
  void EndTurn();

  absl::Status CheckMayReset() const;
  // Ends everything that works with what is stored, has `change` change that, and starts over with `known`. Where it
  // could not, stored and saved states, faults and traces stay, and all CRDT entities: `done` is told so. Nodes,
  // network and clocks are as at the start in any case, and what was under way has ended.
  using Change = absl::AnyInvocable<void(absl::AnyInvocable<void(absl::Status)>)>;
  void ChangeAll(Change change, const cluster::CrdtStates& known, absl::AnyInvocable<void(const absl::Status&)> done);
  void DropStates();
  // In time that goes on by itself, not with AdvanceTime. On the strand.
  absl::Time Now() const { return parts_.strand.Now() - parts_.strand.Ahead(); }
  // Once all is known that is to be saved; asked for at that time.
  void SaveWhenKnown(const std::string& name, absl::Time since, Done<dev::v1::SavedState> done);
  void DropCopies(std::vector<std::uint64_t> copies);
  absl::StatusOr<const Saved*> FindState(const std::string& name) const;
  void Keep(const std::string& name, Saved saved);
  void LookWhetherQuiet(std::shared_ptr<Waiting> waiting);
  // UNAVAILABLE while there is no user function.
  absl::StatusOr<std::shared_ptr<const NamedTypes>> Types();

  const Parts parts_;
  const Options options_;
  // On the strand.
  std::deque<base::Task> turns_;  // the first one has begun
  std::map<std::string, Saved> states_;
  std::uint64_t last_copy_ = 0;
  std::shared_ptr<const NamedTypes> types_;  // of the user function that was asked for last
  std::shared_ptr<EntityRows> rows_;         // shared with seedings
  base::Lifetime lifetime_;
};

}  // namespace cloudstate::runtime
