#include "emulator/runtime/test_control.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/base/did_you_mean.h"
#include "emulator/base/log.h"
#include "emulator/base/on_strand.h"
#include "emulator/base/proto_time.h"
#include "emulator/runtime/named_types.h"
#include "emulator/runtime/quiet.h"

namespace cloudstate::runtime {
namespace {

constexpr absl::Duration kLookAgain = absl::Milliseconds(5);
constexpr absl::Duration kDefaultWait = absl::Seconds(10);
constexpr absl::Duration kLongestWait = absl::Minutes(5);
// What nodes need to join and to read what they have kept.
constexpr absl::Duration kLongestReading = absl::Seconds(10);

}  // namespace

struct TestControl::Waiting {
  QuietKind kind = QuietKind::kIdle;
  absl::Time since;
  absl::Duration timeout;
  Done<dev::v1::WaitResponse> done;
};

TestControl::TestControl(const Parts& parts, Options options)
    : parts_(parts), options_(std::move(options)), rows_(std::make_shared<EntityRows>(options_.open_journal)) {}

TestControl::~TestControl() = default;

// ---- one after the other

void TestControl::InTurn(base::Task begin) {
  turns_.push_back(std::move(begin));
  if (turns_.size() == 1) std::exchange(turns_.front(), nullptr)();
}

void TestControl::EndTurn() {
  turns_.pop_front();
  if (!turns_.empty()) std::exchange(turns_.front(), nullptr)();
}

// ---- beginning anew

absl::Status TestControl::CheckMayReset() const {
  if (parts_.user_functions.scaler() != nullptr) {
    return absl::FailedPreconditionError(
        "With --scaling not all replicas are there at once, so nothing can be reset. Run the emulator without it, with "
        "--nodes if there should be several.");
  }
  if (options_.may_reset) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "This would take away all that is stored, which somebody may miss. Run the emulator with --ephemeral, or with "
      "--allow-reset if nothing in its data directory matters.");
}

void TestControl::ChangeAll(Change change, const cluster::CrdtStates& known,
                            absl::AnyInvocable<void(const absl::Status&)> done) {
  cluster::CrdtStates present = parts_.cluster.KnownCrdts();
  parts_.cluster.EndAll();
  change(base::OnStrand(
      parts_.strand, lifetime_,
      [this, present = std::move(present), known, done = std::move(done)](const absl::Status& status) mutable {
        if (status.ok()) {
          parts_.faults.ClearAll();
          parts_.recorder.Clear();
        }
        parts_.cluster.StartOver(options_.nodes, status.ok() ? known : present);
        if (status.ok()) return done(status);
        done(absl::Status(
            status.code(),
            absl::StrCat("The journal could not be changed, so all that is stored or saved, faults and traces "
                         "are as they were; only what was under way has ended, and nodes and network are as "
                         "at the start. Mend this and try again: ",
                         status.message())));
      }));
}

void TestControl::Reset(const dev::v1::ResetRequest&, Done<dev::v1::ResetResponse> done) {
  parts_.strand.Post([this, begun = parts_.strand.Now(), done = std::move(done)]() mutable {
    if (absl::Status status = CheckMayReset(); !status.ok()) return done(status);
    InTurn([this, begun, done = std::move(done)]() mutable {
      const auto clear = [this](auto cleared) { parts_.copies.ClearAll(std::move(cleared)); };
      ChangeAll(clear, {}, [this, begun, done = std::move(done)](const absl::Status& status) mutable {
        if (status.ok()) DropStates();
        EndTurn();
        if (!status.ok()) return done(status);
        dev::v1::ResetResponse response;
        *response.mutable_duration() = base::ToDuration(parts_.strand.Now() - begun);
        done(std::move(response));
      });
    });
  });
}

// ---- saved states

dev::v1::SavedState TestControl::Describe(const std::string& name, const Saved& saved) {
  dev::v1::SavedState state;
  state.set_name(name);
  state.set_entities(saved.amount.entities);
  state.set_events(saved.amount.events);
  state.set_crdts(static_cast<std::int64_t>(saved.crdts.size()));
  return state;
}

void TestControl::SaveState(const dev::v1::SaveStateRequest& request, Done<dev::v1::SavedState> done) {
  parts_.strand.Post([this, name = request.name(), done = std::move(done)]() mutable {
    if (name.empty()) return done(absl::InvalidArgumentError("A saved state needs a name."));
    InTurn([this, name = std::move(name), done = std::move(done)]() mutable {
      SaveWhenKnown(name, Now(), std::move(done));
    });
  });
}

void TestControl::SaveWhenKnown(const std::string& name, absl::Time since, Done<dev::v1::SavedState> done) {
  const absl::Status known = parts_.cluster.CheckKnownCrdtsAreAll();
  if (absl::IsUnavailable(known) && Now() - since < kLongestReading) {
    parts_.strand.After(kLookAgain, lifetime_.Guard([this, name, since, done = std::move(done)]() mutable {
      SaveWhenKnown(name, since, std::move(done));
    }));
    return;
  }
  if (!known.ok()) {
    EndTurn();
    return done(absl::Status(known.code(), absl::StrCat("Nothing was saved. ", known.message())));
  }
  Saved saved{.copy = ++last_copy_, .amount = {}, .crdts = parts_.cluster.KnownCrdts()};
  const std::uint64_t copy = saved.copy;
  parts_.copies.KeepCopy(copy, base::OnStrand(parts_.strand, lifetime_,
                                              [this, name, saved = std::move(saved), done = std::move(done)](
                                                  const absl::StatusOr<journal::StoredAmount>& amount) mutable {
                                                if (!amount.ok()) {
                                                  EndTurn();
                                                  return done(amount.status());
                                                }
                                                saved.amount = *amount;
                                                dev::v1::SavedState described = Describe(name, saved);
                                                Keep(name, std::move(saved));
                                                EndTurn();
                                                done(std::move(described));
                                              }));
}

void TestControl::Keep(const std::string& name, Saved saved) {
  const auto former = states_.find(name);
  if (former != states_.end()) DropCopies({former->second.copy});
  states_.insert_or_assign(name, std::move(saved));
}

void TestControl::DropStates() {
  std::vector<std::uint64_t> copies;
  for (const auto& [name, saved] : std::exchange(states_, {})) copies.push_back(saved.copy);
  if (!copies.empty()) DropCopies(std::move(copies));
}

void TestControl::DropCopies(std::vector<std::uint64_t> copies) {
  parts_.copies.DropCopies(std::move(copies), [](const absl::Status& status) {
    if (!status.ok()) base::LogWarning(absl::StrCat("a saved state still takes space: ", status.message()));
  });
}

absl::StatusOr<const TestControl::Saved*> TestControl::FindState(const std::string& name) const {
  const auto found = states_.find(name);
  if (found != states_.end()) return &found->second;
  std::vector<std::string> names;
  for (const auto& [each, saved] : states_) names.push_back(each);
  const std::string guess = base::DidYouMean(name, names);
  return absl::NotFoundError(absl::StrCat("No state was saved as '", name, "'",
                                          guess.empty() ? "; SaveState does that, and Reset forgets it" : guess));
}

void TestControl::RestoreState(const dev::v1::RestoreStateRequest& request, Done<dev::v1::SavedState> done) {
  parts_.strand.Post([this, name = request.name(), done = std::move(done)]() mutable {
    if (absl::Status status = CheckMayReset(); !status.ok()) return done(status);
    InTurn([this, name = std::move(name), done = std::move(done)]() mutable {
      const absl::StatusOr<const Saved*> saved = FindState(name);
      if (!saved.ok()) {
        EndTurn();
        return done(saved.status());
      }
      const auto restore = [this, copy = (*saved)->copy](auto restored) {
        parts_.copies.RestoreCopy(copy, std::move(restored));
      };
      dev::v1::SavedState described = Describe(name, **saved);
      ChangeAll(restore, (*saved)->crdts,
                [this, described = std::move(described), done = std::move(done)](const absl::Status& status) mutable {
                  EndTurn();
                  if (!status.ok()) return done(status);
                  done(std::move(described));
                });
    });
  });
}

void TestControl::ListStates(const dev::v1::ListStatesRequest&, Done<dev::v1::ListStatesResponse> done) {
  parts_.strand.Post([this, done = std::move(done)]() mutable {
    dev::v1::ListStatesResponse response;
    for (const auto& [name, saved] : states_) *response.add_states() = Describe(name, saved);
    done(std::move(response));
  });
}

// ---- entities

absl::StatusOr<std::shared_ptr<const NamedTypes>> TestControl::Types() {
  const auto specification = parts_.user_functions.specification();
  if (specification == nullptr) {
    return absl::UnavailableError("The user function has not been reached yet; start it, or wait until it is ready.");
  }
  if (types_ == nullptr || types_->specification() != specification) {
    types_ = std::make_shared<const NamedTypes>(specification);
  }
  return types_;
}

void TestControl::Seed(const dev::v1::SeedRequest& request, Done<dev::v1::SeedResponse> done) {
  parts_.strand.Post([this, request, done = std::move(done)]() mutable {
    const auto types = Types();
    if (!types.ok()) return done(types.status());
    auto seeds = ReadSeeds(request, **types, parts_.strand.WallTime());
    if (!seeds.ok()) return done(seeds.status());
    InTurn([this, seeds = *std::move(seeds), done = std::move(done)]() mutable {
      auto seeded =
          lifetime_.Guard([this, done = std::move(done)](absl::StatusOr<dev::v1::SeedResponse> response) mutable {
            EndTurn();
            done(std::move(response));
          });
      std::make_shared<Seeding>(parts_.strand, parts_.cluster, parts_.journal, rows_, std::move(seeds),
                                std::move(seeded))
          ->Next();
    });
  });
}

void TestControl::Evict(const dev::v1::EvictRequest& request, Done<dev::v1::EvictResponse> done) {
  parts_.strand.Post([this, request, done = std::move(done)]() mutable {
    std::optional<base::EntityKey> key;
    if (request.service().empty() != request.entity_id().empty()) {
      return done(absl::InvalidArgumentError(
          "Give both `service` and `entity_id` for one entity, or neither for all entities."));
    }
    if (!request.service().empty()) {
      const auto types = Types();
      if (!types.ok()) return done(types.status());
      const auto service = (*types)->FindService(request.service());
      if (!service.ok()) return done(service.status());
      key = {(*service)->persistence_id, request.entity_id()};
    }
    dev::v1::EvictResponse response;
    response.set_evicted(static_cast<std::int64_t>(parts_.cluster.Evict(key)));
    done(std::move(response));
  });
}

void TestControl::GetTypes(const dev::v1::GetTypesRequest&, Done<dev::v1::Types> done) {
  parts_.strand.Post([this, done = std::move(done)]() mutable {
    const auto found = Types();
    if (!found.ok()) return done(found.status());
    dev::v1::Types types;
    types.set_file_descriptor_set((*found)->FileDescriptorSet());
    done(std::move(types));
  });
}

// ---- waiting

void TestControl::Wait(const dev::v1::WaitRequest& request, Done<dev::v1::WaitResponse> done) {
  const absl::Duration timeout = request.has_timeout() ? base::FromDuration(request.timeout()) : kDefaultWait;
  if (timeout < absl::ZeroDuration() || timeout > kLongestWait) {
    return done(absl::InvalidArgumentError(
        absl::StrCat("A timeout is at most ", absl::FormatDuration(kLongestWait), ", and not negative.")));
  }
  auto waiting = std::make_shared<Waiting>(Waiting{
      .kind = request.converged() ? QuietKind::kConverged : QuietKind::kIdle,
      .since = {},
      .timeout = timeout,
      .done = std::move(done),
  });
  parts_.strand.Post([this, waiting = std::move(waiting)]() mutable {
    waiting->since = Now();
    LookWhetherQuiet(std::move(waiting));
  });
}

void TestControl::LookWhetherQuiet(std::shared_ptr<Waiting> waiting) {
  const std::string loud =
      turns_.empty() ? WhatIsNotQuiet(parts_.cluster, waiting->kind) : "a test's state is being made";
  const absl::Duration waited = Now() - waiting->since;
  if (loud.empty()) {
    dev::v1::WaitResponse response;
    *response.mutable_waited() = base::ToDuration(waited);
    waiting->done(std::move(response));
  } else if (waited >= waiting->timeout) {
    waiting->done(absl::DeadlineExceededError(
        absl::StrCat("After ", absl::FormatDuration(waiting->timeout), " still: ", loud, ".")));
  } else {
    parts_.strand.After(kLookAgain, lifetime_.Guard([this, waiting = std::move(waiting)]() mutable {
      LookWhetherQuiet(std::move(waiting));
    }));
  }
}

}  // namespace cloudstate::runtime
