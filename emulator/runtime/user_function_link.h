#pragma once

#include <memory>
#include <string>

#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/base/random.h"
#include "emulator/journal/sqlite_journal.h"
#include "emulator/runtime/emulator.h"
#include "emulator/runtime/fault_book.h"
#include "emulator/scaling/supply.h"
#include "emulator/userfunction/discovery.h"
#include "emulator/userfunction/grpc_connection.h"
#include "emulator/userfunction/reserved_port.h"
#include "emulator/userfunction/supervisor.h"

namespace cloudstate::runtime {

// Where a user function listens, or will.
struct UserFunctionPlace {
  std::string address;  // HOST:PORT
  // Reserved until it is there; null where the port is no matter of ours.
  std::shared_ptr<userfunction::ReservedPort> port = nullptr;
};

// One user function: starts it if it is ours to start, reaches it, learns what it declares, and tells a listener when
// it comes and goes.
class UserFunctionLink final : private userfunction::Discovery::Listener {
 public:
  // `lost` also tells why it did not become ready: it was reached and has gone, or declares what cannot be served.
  using Listener = scaling::Supply::Listener;

  // The references outlive this.
  UserFunctionLink(const Settings& settings, UserFunctionPlace place, base::Strand& strand,
                   journal::SqliteJournal& journal, FaultBook& faults, Observer& observer, Listener listener);
  ~UserFunctionLink() override { Stop(); }

  // Starts the command, if there is one, and reaches for the address.
  absl::Status Start();

  // On the strand: begins to end the user function if it was started here, and calls the listener no more. It is still
  // to be stopped.
  void Retire();
  // Lets go of the user function, and ends it if it was started here. Errors that are reported later reach the observer
  // only. Calls after the first do nothing. Not from a task of the strand.
  void Stop();

  // UNAVAILABLE, with what is known of it. On the strand, like what follows.
  absl::Status Unavailable(const std::string& why) const;
  void ReportError(const std::string& text);
  // Not after Retire or Stop, like the others.
  dev::v1::UserFunction Describe() const;
  bool is_ready() const { return discovery_->state() == userfunction::Discovery::State::kReady; }
  const std::string& address() const { return place_.address; }
  std::int64_t pid() const { return pid_; }
  const std::shared_ptr<const userfunction::Specification>& specification() const {
    return discovery_->specification();
  }

 private:
  void OnReady(std::shared_ptr<userfunction::Connection> connection,
               std::shared_ptr<const userfunction::Specification> specification) override;
  void OnLost(const absl::Status& reason) override;
  void OnRejected(const std::string& problem) override;
  void OnTrouble(const std::string& trouble) override;

  absl::Status StartCommand();
  void ReleasePort();

  const Settings& settings_;
  const UserFunctionPlace place_;  // its port is the strand's
  base::Strand& strand_;
  journal::SqliteJournal& journal_;
  FaultBook& faults_;
  Observer& observer_;

  // On the strand.
  Listener listener_;
  base::Random random_{std::random_device()()};
  std::unique_ptr<userfunction::Discovery> discovery_;  // null once retired or stopped
  std::int64_t pid_ = 0;
  int restarts_ = 0;

  std::unique_ptr<userfunction::GrpcTransport> transport_;
  std::unique_ptr<userfunction::Supervisor> supervisor_;
};

}  // namespace cloudstate::runtime
