#pragma once

#include <memory>
#include <string>

#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/base/random.h"
#include "emulator/cluster/cluster.h"
#include "emulator/journal/sqlite_journal.h"
#include "emulator/routing/gateway.h"
#include "emulator/runtime/emulator.h"
#include "emulator/userfunction/discovery.h"
#include "emulator/userfunction/grpc_connection.h"
#include "emulator/userfunction/supervisor.h"

namespace cloudstate::runtime {

// Keeps the nodes and what brings calls to them supplied with the user function: starts it if it is ours to start,
// reaches it, learns what it declares, and tells them when it comes and goes.
class UserFunctionLink final : private userfunction::Discovery::Listener {
 public:
  UserFunctionLink(const Settings& settings, std::string address, base::Strand& strand, cluster::Cluster& cluster,
                   routing::Gateway& gateway, journal::SqliteJournal& journal, Observer& observer);
  ~UserFunctionLink() override { Stop(); }

  // Starts the command, if there is one, and reaches for the address.
  absl::Status Start();

  // Lets go of the user function, and ends it if it was started here. Errors can still be reported, to the log only.
  // Calls after the first do nothing. Not from a task of the strand.
  void Stop();

  // On the strand. The last two not after Stop.
  void ReportError(const std::string& text);
  dev::v1::UserFunction Describe() const;
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
  absl::Status Unavailable(const std::string& why) const;

  const Settings& settings_;
  const std::string address_;
  base::Strand& strand_;
  cluster::Cluster& cluster_;
  routing::Gateway& gateway_;
  journal::SqliteJournal& journal_;
  Observer& observer_;

  // On the strand.
  base::Random random_{std::random_device()()};
  std::unique_ptr<userfunction::Discovery> discovery_;
  std::int64_t pid_ = 0;
  int restarts_ = 0;

  std::unique_ptr<userfunction::GrpcTransport> transport_;
  std::unique_ptr<userfunction::Supervisor> supervisor_;
};

}  // namespace cloudstate::runtime
