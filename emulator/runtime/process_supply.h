#pragma once

#include <map>
#include <memory>
#include <string>
#include <thread>

#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/base/lifetime.h"
#include "emulator/journal/work_queue.h"
#include "emulator/runtime/free_ports.h"
#include "emulator/runtime/user_function_link.h"
#include "emulator/scaling/supply.h"

namespace cloudstate::runtime {

// A process of settings.command for each replica, on a free port of its own. What they print is told with their node
// before it.
class ProcessSupply final : public scaling::Supply {
 public:
  // The references outlive this.
  ProcessSupply(const Settings& settings, base::Strand& strand, journal::SqliteJournal& journal, FaultBook& faults,
                Observer& observer);
  ~ProcessSupply() override;

  // Begins with those that have been asked for already. NOT_FOUND where the command, or the directory that is watched,
  // is not there. Once; not from a task of the strand.
  absl::Status Open();

  void Start(cluster::NodeId node, Listener listener) override;
  void Stop(cluster::NodeId node) override;
  Process Describe(cluster::NodeId node) const override;

  // Ends all processes, together, and waits for them. Calls after the first do nothing. Not from a task of the strand.
  void EndAll();

  // On the strand. To one that is ready, if there is one.
  void ReportError(const std::string& text);
  // The first that is ready, or the first; of those that were there last, where none is.
  dev::v1::UserFunction DescribeAny() const;
  // Of the one that was ready last; null before.
  const std::shared_ptr<const userfunction::Specification>& specification() const { return specification_; }

 private:
  class Replica;

  void Begin(cluster::NodeId node, Listener listener);
  // Takes the listener only if that has worked.
  absl::Status TryToBegin(cluster::NodeId node, Listener& listener);
  // What is declared as before stays the same object. True if it is news.
  bool Learn(std::shared_ptr<const userfunction::Specification> specification);
  // The first that is ready, or the first; null where there is none.
  Replica* First() const;
  void Retire(std::unique_ptr<Replica> replica);
  void Bury();

  const Settings& settings_;
  base::Strand& strand_;
  journal::SqliteJournal& journal_;
  FaultBook& faults_;
  Observer& observer_;

  // On the strand.
  std::map<cluster::NodeId, std::unique_ptr<Replica>> replicas_;
  bool open_ = false;
  std::map<cluster::NodeId, Listener> early_;         // asked for before
  std::map<cluster::NodeId, base::TimerId> waiting_;  // those that could not be started, until they are tried again
  std::shared_ptr<const userfunction::Specification> specification_;
  FreePorts ports_;
  dev::v1::UserFunction last_;  // as it was when the last one was stopped
  base::Lifetime lifetime_;

  // Those that are ending, which takes time and may not be waited for on the strand.
  journal::WorkQueue<std::unique_ptr<Replica>> retired_;
  std::thread burying_;
};

}  // namespace cloudstate::runtime
