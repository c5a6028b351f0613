#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/testing.pb.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::runtime {

// The faults that tests have injected, in the order in which they were. Any thread, for which it has a lock: a journal
// may be asked from any, and this stands outside of what has to run the same in each run.
class FaultBook {
 public:
  using Kind = dev::v1::Fault::Kind;

  // Holds back what a fault of kind SLOW made late.
  class Holder {
   public:
    virtual ~Holder() = default;
    // The fault has gone, or with 0 all of them. On the thread that cleared it, which is the strand's.
    virtual void LetGo(std::int64_t fault) = 0;
  };

  // The services that faults name from now on.
  void SetServices(std::shared_ptr<const userfunction::Specification> specification);

  // With its number. INVALID_ARGUMENT says what is wrong with it: no kind, a delay where it means nothing or is none,
  // numbers below 0; and, unless there is no user function yet: a service or method that is not there, a service that
  // could be several, or what can never strike, since the service stores nothing in the journal or has no entities.
  absl::StatusOr<dev::v1::Fault> Add(dev::v1::Fault fault);
  // Those that can strike still.
  std::vector<dev::v1::Fault> List() const;
  // NOT_FOUND where there is no such fault, or it has struck as often as it should.
  absl::Status Clear(std::int64_t fault);
  void ClearAll();

  // Whether there may be something to strike: costs next to nothing.
  bool empty() const { return count_.load(std::memory_order_relaxed) == 0; }

  // Where something could go wrong.
  struct Place {
    std::string_view service;         // full name
    std::string_view persistence_id;  // in place of `service`, where that is all that is known
    std::string_view method;
    std::string_view entity_id;
  };
  // The first fault of this kind that strikes there, counted. A fault that lets some through counts those that it would
  // have struck.
  std::optional<dev::v1::Fault> Strike(Kind kind, const Place& place);

  // Until it is destroyed. Once for each.
  void Register(std::weak_ptr<Holder> holder);

  // Entities' streams that are half-closed and that the user function has not ended: what time that jumps waits for.
  void BeginClosing() { closing_.fetch_add(1, std::memory_order_relaxed); }
  void EndClosing() { closing_.fetch_sub(1, std::memory_order_relaxed); }
  std::size_t closing() const { return closing_.load(std::memory_order_relaxed); }

 private:
  struct Entry {
    dev::v1::Fault fault;
    std::int64_t let_through = 0;
  };

  absl::Status CheckCanStrike(const dev::v1::Fault& fault) const;
  absl::StatusOr<std::string> FullName(const std::string& service) const;
  bool Fits(const dev::v1::Fault& fault, const Place& place) const;
  bool IsStoredAs(const std::string& service, std::string_view persistence_id) const;
  std::vector<std::shared_ptr<Holder>> Holders();

  std::atomic<std::size_t> count_ = 0;  // of entries
  std::atomic<std::size_t> closing_ = 0;
  mutable std::mutex mutex_;
  std::shared_ptr<const userfunction::Specification> specification_;  // null before the first
  std::list<Entry> entries_;
  std::int64_t last_id_ = 0;
  std::vector<std::weak_ptr<Holder>> holders_;
};

// What whoever meets a fault reads: "a fault that a test injected (number 3)".
std::string DescribeFault(const dev::v1::Fault& fault);

}  // namespace cloudstate::runtime
