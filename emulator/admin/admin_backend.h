#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "emulator/admin/access.h"
#include "emulator/admin/caller.h"
#include "emulator/admin/control.h"
#include "emulator/admin/live.h"
#include "emulator/admin/reader_pool.h"
#include "emulator/admin/replaying.h"
#include "emulator/admin/watching.h"
#include "emulator/serving/backend.h"

namespace cloudstate::admin {

// The services of cloudstate.dev.v1, for a front door to serve. Any thread.
class AdminBackend final : public serving::Backend {
 public:
  struct Options {
    ReaderPool::OpenJournal open_journal;      // called on threads of this object
    std::vector<std::string> descriptor_sets;  // types besides those in the journal
    int reader_threads = 2;
    Access::Options access = {};
    int max_replays = ReplayPlaces::kMost;  // at once
  };

  // The references outlive this object.
  AdminBackend(Live& live, Control& control, Options options);

  // Ends the calls that are still watching. The door that serves this object has been shut before.
  ~AdminBackend() override;

  std::shared_ptr<const serving::Services> CurrentServices() const override { return services_; }
  absl::Status Availability() const override { return absl::OkStatus(); }
  void Start(serving::Call call, std::shared_ptr<serving::Responder> responder) override;

  // Whether somebody waits for the outcome of a replay, or was just told it.
  bool has_replays() const { return replays_->load() > 0; }

 private:
  using Answer = std::shared_ptr<serving::Responder>;
  struct Handlers;

  template <class Request, class Response>
  void Read(const serving::Call& call, Answer answer, absl::StatusOr<Response> (Views::*view)(const Request&));
  void GetStatus(const serving::Call& call, Answer answer);
  void ListServices(const serving::Call& call, Answer answer);
  void ListCommands(const serving::Call& call, Answer answer);
  void GetCommand(const serving::Call& call, Answer answer);
  void ListSamples(const serving::Call& call, Answer answer);
  void ListLogLines(const serving::Call& call, Answer answer);
  void GetMark(const serving::Call& call, Answer answer);
  void ListSince(const serving::Call& call, Answer answer);
  void DescribeType(const serving::Call& call, Answer answer);
  void CallUserFunction(const serving::Call& call, Answer answer);
  void CallUserFunctionWithStreams(const serving::Call& call, Answer answer);
  // Of the emulator as it lives, or of what tests do to it.
  template <class Asked, class Request, class Response>
  void Ask(const serving::Call& call, const Answer& answer,
           void (Asked::*question)(const Request&, Live::Done<Response>));
  // The same where types are needed to tell what the answer means.
  template <class Request, class Response>
  void AskAndDescribe(const serving::Call& call, const Answer& answer,
                      void (Live::*question)(const Request&, Live::Done<Response>));
  void Replay(const serving::Call& call, Answer answer);
  template <class Kind, class Request>
  void Watch(const serving::Call& call, Answer answer);

  Live& live_;
  Control& control_;
  const std::shared_ptr<const serving::Services> services_;
  const std::shared_ptr<ReaderPool> pool_;  // shared with answers that Live still owes
  const Access access_;
  Caller caller_;
  const int max_replays_;
  const std::shared_ptr<std::atomic<int>> replays_ = std::make_shared<std::atomic<int>>(0);  // that go on

  std::mutex mutex_;
  std::set<std::shared_ptr<Watching>> watching_;
};

}  // namespace cloudstate::admin
