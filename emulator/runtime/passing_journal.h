#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "emulator/journal/journal.h"

namespace cloudstate::runtime {

// A journal that passes everything on to another: for those that do something of their own on the way of some of it.
class PassingJournal : public journal::Journal {
 public:
  // Outlives this.
  explicit PassingJournal(journal::Journal& journal) : journal_(journal) {}

  void Write(journal::Append append, absl::AnyInvocable<void(absl::Status)> done) override {
    journal_.Write(std::move(append), std::move(done));
  }
  void Load(const journal::EntityKey& key, std::optional<journal::SequenceNumber> after, std::size_t max_bytes,
            absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) override {
    journal_.Load(key, after, max_bytes, std::move(done));
  }
  void LoadLast(const journal::EntityKey& key,
                absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) override {
    journal_.LoadLast(key, std::move(done));
  }
  void Delete(journal::EntityKey key, absl::AnyInvocable<void(absl::StatusOr<journal::Deleted>)> done) override {
    journal_.Delete(std::move(key), std::move(done));
  }
  void Claim(std::vector<journal::ShardClaim> claims,
             absl::AnyInvocable<void(absl::StatusOr<std::vector<journal::ShardHolder>>)> done) override {
    journal_.Claim(std::move(claims), std::move(done));
  }
  bool Holds(const journal::Fence& fence) const override { return journal_.Holds(fence); }

 private:
  journal::Journal& journal_;
};

}  // namespace cloudstate::runtime
