#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "emulator/admin/live.h"
#include "emulator/runtime/observed_journal.h"
#include "emulator/runtime/user_function_link.h"

namespace cloudstate::runtime {

// Answers the admin services' questions from the strand, where the answers are.
class LiveState final : public admin::Live {
 public:
  // The references must outlive this.
  LiveState(base::Strand& strand, cluster::Node& node, routing::Router& router, trace::Recorder& recorder,
            UserFunctionLink& link, ObservedJournal& journal, absl::Duration passivation_timeout);

  // What does not change while the emulator runs. On the strand.
  void SetFixed(dev::v1::Status fixed) { fixed_ = std::move(fixed); }

  void GetStatus(absl::AnyInvocable<void(dev::v1::Status)> done) override;
  void ListServices(absl::AnyInvocable<void(dev::v1::ListServicesResponse)> done) override;
  void Traces(const dev::v1::CommandFilter& filter, std::size_t limit,
              absl::AnyInvocable<void(std::vector<std::shared_ptr<const trace::Trace>>)> done) override;
  void FindTrace(std::string id, absl::AnyInvocable<void(std::shared_ptr<const trace::Trace>)> done) override;
  std::unique_ptr<Watch> WatchTraces(trace::Recorder::Watcher watcher) override;
  std::unique_ptr<Watch> WatchCommits(absl::AnyInvocable<void()> stored) override;
  serving::Backend& UserFunction() override { return router_; }

 private:
  dev::v1::Status fixed_;
  base::Strand& strand_;
  cluster::Node& node_;
  routing::Router& router_;
  trace::Recorder& recorder_;
  UserFunctionLink& link_;
  ObservedJournal& journal_;
  const absl::Duration passivation_timeout_;
};

}  // namespace cloudstate::runtime
