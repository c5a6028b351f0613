#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cloudstate/dev/v1/cluster.pb.h"
#include "cloudstate/dev/v1/crdt.pb.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cloudstate/dev/v1/figures.pb.h"
#include "cloudstate/dev/v1/scaling.pb.h"
#include "emulator/admin/admin_backend.h"
#include "tests/unit/fake_browser.h"
#include "tests/unit/idle_control.h"

namespace cloudstate::admin {

inline constexpr absl::Duration kPatience = absl::Seconds(20);  // of a test that fails

// Keeps what it is given; tests wait on it.
class FakeResponder final : public serving::Responder {
 public:
  void Headers(const Metadata&) override {}
  void Message(std::string payload) override {
    std::lock_guard lock(mutex_);
    EXPECT_FALSE(status_.has_value()) << "a message after the end";
    messages_.push_back(std::move(payload));
    if (!taking_) ++unsent_;
    changed_.notify_all();
  }
  void Finish(absl::Status status) override {
    std::lock_guard lock(mutex_);
    EXPECT_FALSE(status_.has_value()) << "ended twice";
    status_ = std::move(status);
    changed_.notify_all();
  }
  void WhenWritable(absl::AnyInvocable<void()> writable) override {
    {
      std::lock_guard lock(mutex_);
      if (unsent_ > 0) {
        writable_ = std::move(writable);
        return;
      }
    }
    writable();
  }
  std::size_t Unsent() const override {
    std::lock_guard lock(mutex_);
    return unsent_;
  }
  void OnCancel(absl::AnyInvocable<void()> cancelled) override { cancelled_ = std::move(cancelled); }

  void Cancel() {
    if (cancelled_) cancelled_();
  }
  void TakeAll(bool take) {
    absl::AnyInvocable<void()> writable;
    {
      std::lock_guard lock(mutex_);
      taking_ = take;
      unsent_ = 0;
      writable = std::exchange(writable_, nullptr);
    }
    if (writable) writable();
  }

  absl::Status WaitForEnd() {
    std::unique_lock lock(mutex_);
    const bool ended = changed_.wait_for(lock, absl::ToChronoSeconds(kPatience), [&] { return status_.has_value(); });
    return ended ? *status_ : absl::DeadlineExceededError("no end");
  }
  template <typename Message>
  std::vector<Message> WaitForMessages(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, absl::ToChronoSeconds(kPatience), [&] { return messages_.size() >= count; }))
        << "only " << messages_.size() << " of " << count << " messages";
    std::vector<Message> parsed(messages_.size());
    for (std::size_t i = 0; i < messages_.size(); ++i) EXPECT_TRUE(parsed[i].ParseFromString(messages_[i]));
    return parsed;
  }
  std::size_t messages() const {
    std::lock_guard lock(mutex_);
    return messages_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> messages_;
  std::optional<absl::Status> status_;
  std::size_t unsent_ = 0;
  bool taking_ = true;
  absl::AnyInvocable<void()> writable_;
  absl::AnyInvocable<void()> cancelled_;
};

// What a client streams in; a test says when.
class FakeRequests final : public serving::RequestStream {
 public:
  void Read(absl::AnyInvocable<void(std::optional<std::string>)> taken) override {
    EXPECT_EQ(taken_, nullptr) << "two reads at a time";
    taken_ = std::move(taken);
    HandOver();
  }
  void Send(const google::protobuf::Message& request) {
    waiting_.push_back(request.SerializeAsString());
    HandOver();
  }
  void HalfClose() {
    half_closed_ = true;
    HandOver();
  }
  // Sent and not asked for yet.
  std::size_t waiting() const { return waiting_.size(); }

 private:
  void HandOver() {
    if (taken_ == nullptr || (waiting_.empty() && !half_closed_)) return;
    auto taken = std::exchange(taken_, nullptr);
    if (waiting_.empty()) return taken(std::nullopt);
    std::string next = std::move(waiting_.front());
    waiting_.pop_front();
    taken(std::move(next));
  }

  std::deque<std::string> waiting_;
  bool half_closed_ = false;
  absl::AnyInvocable<void(std::optional<std::string>)> taken_;
};

// A user function whose one service is the admin contract's own: its descriptors are at hand. It keeps the last call
// open.
class FakeUserFunction final : public serving::Backend {
 public:
  std::shared_ptr<const serving::Services> CurrentServices() const override { return services; }
  absl::Status Availability() const override { return absl::UnavailableError("not reached yet"); }
  void Start(serving::Call its_call, std::shared_ptr<serving::Responder> its_responder) override {
    call = std::move(its_call);
    responder = std::move(its_responder);
    responder->OnCancel([this] { cancelled = true; });
  }

  std::shared_ptr<serving::Services> services = std::make_shared<serving::Services>();
  serving::Call call;
  std::shared_ptr<serving::Responder> responder;
  bool cancelled = false;
};

class FakeLive final : public Live {
 public:
  void GetStatus(absl::AnyInvocable<void(dev::v1::Status)> done) override {
    dev::v1::Status status;
    status.set_version("1.2.3");
    done(std::move(status));
  }
  void ListServices(absl::AnyInvocable<void(dev::v1::ListServicesResponse)> done) override { done({}); }
  void Traces(const dev::v1::CommandFilter& filter, std::size_t limit,
              absl::AnyInvocable<void(std::vector<std::shared_ptr<const trace::Trace>>)> done) override {
    std::vector<std::shared_ptr<const trace::Trace>> found;
    for (const auto& trace : traces) {
      if (Matches(filter, *trace) && found.size() < limit) found.push_back(trace);
    }
    done(std::move(found));
  }
  void FindTrace(std::string id, absl::AnyInvocable<void(std::shared_ptr<const trace::Trace>)> done) override {
    for (const auto& trace : traces) {
      if (trace->id == id) return done(trace);
    }
    done(nullptr);
  }
  WatchedTraces WatchTraces(const dev::v1::CommandFilter& filter, std::size_t newest,
                            trace::Recorder::Watcher watcher) override {
    std::lock_guard lock(mutex);
    trace_watcher = std::move(watcher);
    WatchedTraces watched;
    for (const auto& trace : traces) {
      if (Matches(filter, *trace) && watched.kept.size() < newest) watched.kept.insert(watched.kept.begin(), trace);
    }
    watched.watch = Subscribed();
    return watched;
  }
  std::unique_ptr<Watch> WatchCommits(absl::AnyInvocable<void()> stored) override {
    std::lock_guard lock(mutex);
    commit_watcher = std::move(stored);
    return Subscribed();
  }
  void ListNodes(const dev::v1::ListNodesRequest&, Done<dev::v1::ListNodesResponse> done) override {
    done(dev::v1::ListNodesResponse());
  }
  void GetNode(const dev::v1::GetNodeRequest& request, Done<dev::v1::NodeDetail> done) override {
    if (request.node() != 2) return done(absl::NotFoundError("no such node"));
    dev::v1::NodeDetail detail;
    detail.mutable_node()->set_node(2);
    done(std::move(detail));
  }
  void ListShards(const dev::v1::ListShardsRequest&, Done<dev::v1::ListShardsResponse> done) override {
    done(dev::v1::ListShardsResponse());
  }
  void GetNetwork(const dev::v1::GetNetworkRequest&, Done<dev::v1::NetworkState> done) override {
    done(dev::v1::NetworkState());
  }
  void Steer(const dev::v1::Steering& its_steering, Done<dev::v1::SteerResponse> done) override {
    steering = its_steering;
    dev::v1::SteerResponse response;
    response.set_text("It has begun.");
    done(std::move(response));
  }
  void ListClusterEvents(const dev::v1::ListClusterEventsRequest&,
                         Done<dev::v1::ListClusterEventsResponse> done) override {
    done(dev::v1::ListClusterEventsResponse());
  }
  std::unique_ptr<Watch> WatchClusterEvents(const dev::v1::WatchClusterEventsRequest& request,
                                            ClusterEventWatcher watcher) override {
    for (int i = 0; i < request.newest(); ++i) watcher(dev::v1::ClusterEvent());
    std::lock_guard lock(mutex);
    cluster_event_watcher = std::move(watcher);
    return Subscribed();
  }
  void ListCrdts(const dev::v1::ListCrdtsRequest&, Done<dev::v1::ListCrdtsResponse> done) override {
    done(dev::v1::ListCrdtsResponse());
  }
  void GetCrdt(const dev::v1::GetCrdtRequest& request, Done<dev::v1::CrdtDetail> done) override {
    if (request.entity_id() != crdt.crdt().entity_id()) return done(absl::NotFoundError("no such entity"));
    done(crdt);
  }
  std::unique_ptr<Watch> WatchCrdts(const dev::v1::WatchCrdtsRequest&, CrdtEventWatcher watcher) override {
    std::lock_guard lock(mutex);
    crdt_event_watcher = std::move(watcher);
    return Subscribed();
  }
  void DeleteEntity(const dev::v1::DeleteEntityRequest& request, Done<dev::v1::DeleteEntityResponse> done) override {
    if (request.entity_id() != "a") return done(absl::NotFoundError("no such entity"));
    dev::v1::DeleteEntityResponse response;
    response.set_deleted_events(3);
    done(std::move(response));
  }
  void GetReplayTarget(Done<ReplayTarget> done) override {
    if (specification == nullptr) return done(absl::UnavailableError("not reached yet"));
    done(ReplayTarget{specification, replay_from});
  }
  // Keeps it for the test to answer.
  void StartReplay(std::shared_ptr<const userfunction::Specification>, entities::ReplayPlan its_plan,
                   std::shared_ptr<Cancellation> its_cancellation, Done<entities::ReplayResult> done) override {
    std::lock_guard lock(mutex);
    its_cancellation->Set([this] { replay_cancelled = true; });
    plan = std::move(its_plan);
    replay_done.push_back(std::move(done));
    changed.notify_all();
  }
  void WaitForReplays(std::size_t count) {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, absl::ToChronoSeconds(kPatience), [&] { return replay_done.size() == count; }));
  }
  void GetScaling(const dev::v1::GetScalingRequest&, Done<dev::v1::ScalingState> done) override { done(scaling); }
  void SetScaling(const dev::v1::SetScalingRequest& request, Done<dev::v1::ScalingState> done) override {
    if (scaling.mode() == "off") return done(absl::FailedPreconditionError("scaling is off"));
    scaling.set_wanted(request.replicas());
    done(scaling);
  }
  void ListScalingEvents(const dev::v1::ListScalingEventsRequest&,
                         Done<dev::v1::ListScalingEventsResponse> done) override {
    dev::v1::ListScalingEventsResponse response;
    response.add_events()->set_text("scaling 1 → 3");
    done(std::move(response));
  }
  std::unique_ptr<Watch> WatchScalingEvents(const dev::v1::WatchScalingEventsRequest& request,
                                            ScalingEventWatcher watcher) override {
    for (int i = 0; i < request.newest(); ++i) watcher(dev::v1::ScalingEvent());
    std::lock_guard lock(mutex);
    scaling_event_watcher = std::move(watcher);
    return Subscribed();
  }
  std::unique_ptr<Watch> WatchCallTimes(CallTimesWatcher watcher) override {
    std::lock_guard lock(mutex);
    call_times_watcher = std::move(watcher);
    return Subscribed();
  }
  void GetSettings(const dev::v1::GetSettingsRequest&, Done<dev::v1::Settings> done) override { done(settings); }
  void Samples(std::size_t limit, absl::AnyInvocable<void(std::vector<Sample>)> done) override {
    std::vector<Sample> newest(samples.end() - static_cast<std::ptrdiff_t>(std::min(limit, samples.size())),
                               samples.end());
    done(std::move(newest));
  }
  std::unique_ptr<Watch> WatchSamples(const dev::v1::WatchSamplesRequest& request, SampleWatcher watcher) override {
    Samples(static_cast<std::size_t>(request.newest()), [&](std::vector<Sample> newest) {
      for (Sample& sample : newest) watcher(std::move(sample));
    });
    std::lock_guard lock(mutex);
    sample_watcher = std::move(watcher);
    return Subscribed();
  }
  // Lines are numbered from 1; those before `first_log_line` are no longer kept.
  LogLines NewestLogLines(const LogFilter& filter, std::size_t limit) override {
    LogLines found = LogLinesFrom(1, filter, 100'000);
    found.missed = 0;
    if (found.lines.size() > limit)
      found.lines.erase(found.lines.begin(), found.lines.end() - static_cast<long>(limit));
    return found;
  }
  LogLines LogLinesFrom(std::int64_t number, const LogFilter& filter, std::size_t limit) override {
    std::lock_guard lock(mutex);
    LogLines found;
    found.next = std::max(number, first_log_line);
    found.missed = found.next - number;
    for (; found.next <= static_cast<std::int64_t>(log.size()) && found.lines.size() < limit; ++found.next) {
      const auto& line = log[static_cast<std::size_t>(found.next) - 1];
      if (filter(*line)) found.lines.push_back(line);
    }
    return found;
  }
  std::unique_ptr<Watch> WatchLog(absl::AnyInvocable<void()> added) override {
    std::lock_guard lock(mutex);
    log_watcher = std::move(added);
    return Subscribed();
  }
  void GetMark(absl::AnyInvocable<void(dev::v1::Mark)> done) override {
    dev::v1::Mark mark;
    mark.set_commands(static_cast<std::int64_t>(traces.size()));
    done(std::move(mark));
  }
  // All that the test has put in, oldest first.
  void ListSince(const dev::v1::Mark& mark, std::size_t limit, absl::AnyInvocable<void(Since)> done) override {
    Since since;
    since.mark = mark;
    since.missed = missed_since;
    for (auto trace = traces.rbegin(); trace != traces.rend() && since.traces.size() < limit; ++trace) {
      since.traces.push_back(*trace);
    }
    done(std::move(since));
  }
  void Log(const std::string& level, const std::string& text) {
    auto line = std::make_shared<dev::v1::LogLine>();
    line->set_source("emulator");
    line->set_level(level);
    line->set_text(text);
    std::lock_guard lock(mutex);
    log.push_back(std::move(line));
    if (log_watcher) log_watcher();
  }
  serving::Backend& UserFunction() override { return user_function; }

  void WaitForWatchers(int count) {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, absl::ToChronoSeconds(kPatience), [&] { return watchers == count; }));
  }

  std::vector<std::shared_ptr<const trace::Trace>> traces;
  FakeUserFunction user_function;
  std::mutex mutex;
  std::condition_variable changed;
  int watchers = 0;
  trace::Recorder::Watcher trace_watcher;
  absl::AnyInvocable<void()> commit_watcher;
  ClusterEventWatcher cluster_event_watcher;
  CrdtEventWatcher crdt_event_watcher;
  dev::v1::CrdtDetail crdt;
  dev::v1::Steering steering;  // the last one
  dev::v1::ScalingState scaling;
  ScalingEventWatcher scaling_event_watcher;
  CallTimesWatcher call_times_watcher;
  dev::v1::Settings settings;
  std::vector<Sample> samples;
  SampleWatcher sample_watcher;
  std::vector<std::shared_ptr<const dev::v1::LogLine>> log;
  std::int64_t first_log_line = 1;
  absl::AnyInvocable<void()> log_watcher;
  std::int64_t missed_since = 0;
  std::shared_ptr<const userfunction::Specification> specification;
  entities::ReplayFrom replay_from = entities::ReplayFrom::kNewestSnapshot;
  entities::ReplayPlan plan;  // the last one
  std::vector<Done<entities::ReplayResult>> replay_done;
  std::atomic<bool> replay_cancelled = false;

 private:
  struct Handle final : Watch {
    explicit Handle(FakeLive& its_live) : live(its_live) {}
    ~Handle() override {
      std::lock_guard lock(live.mutex);
      --live.watchers;
      live.changed.notify_all();
    }
    FakeLive& live;
  };
  std::unique_ptr<Watch> Subscribed() {
    ++watchers;
    changed.notify_all();
    return std::make_unique<Handle>(*this);
  }
};

// The events of a journal that any of the backend's threads reads.
struct SharedJournal {
  std::mutex mutex;
  journal::FakeBrowser browser;
};

class SharedBrowser final : public journal::Browser {
 public:
  explicit SharedBrowser(SharedJournal& its_journal) : journal_(its_journal) {}
  absl::StatusOr<journal::EntityPage> Entities(const journal::EntityFilter& filter, const std::string& page,
                                               int page_size) override {
    std::lock_guard lock(journal_.mutex);
    return journal_.browser.Entities(filter, page, page_size);
  }
  absl::StatusOr<journal::EntityRow> Entity(const journal::EntityKey& key) override {
    std::lock_guard lock(journal_.mutex);
    return journal_.browser.Entity(key);
  }
  absl::StatusOr<std::vector<journal::EventRow>> Events(const journal::EntityKey& key, journal::SequenceNumber from,
                                                        int limit) override {
    std::lock_guard lock(journal_.mutex);
    return journal_.browser.Events(key, from, limit);
  }
  absl::StatusOr<std::vector<journal::EventRow>> EventsAfter(std::int64_t position, const journal::EntityFilter& filter,
                                                             int limit) override {
    std::lock_guard lock(journal_.mutex);
    return journal_.browser.EventsAfter(position, filter, limit);
  }
  absl::StatusOr<journal::Replay> LoadUntil(const journal::EntityKey& key, journal::SequenceNumber until,
                                            std::optional<journal::SequenceNumber> after,
                                            std::size_t max_bytes) override {
    std::lock_guard lock(journal_.mutex);
    return journal_.browser.LoadUntil(key, until, after, max_bytes);
  }
  absl::StatusOr<std::int64_t> LastPosition() override {
    std::lock_guard lock(journal_.mutex);
    return journal_.browser.LastPosition();
  }
  absl::StatusOr<std::int64_t> CountEvents() override {
    std::lock_guard lock(journal_.mutex);
    return journal_.browser.CountEvents();
  }
  absl::StatusOr<std::vector<journal::SnapshotRow>> Snapshots(const journal::EntityKey& key,
                                                              const journal::SnapshotRange& range) override {
    std::lock_guard lock(journal_.mutex);
    return journal_.browser.Snapshots(key, range);
  }
  absl::StatusOr<std::vector<std::string>> DescriptorSets() override { return std::vector<std::string>(); }

 private:
  SharedJournal& journal_;
};

class AdminBackendTest : public ::testing::Test {
 protected:
  std::shared_ptr<FakeResponder> Start(const std::string& method, const google::protobuf::Message& request,
                                       bool taking = true, std::shared_ptr<FakeRequests> requests = nullptr,
                                       const std::string& service = "cloudstate.dev.v1.Emulator") {
    auto responder = std::make_shared<FakeResponder>();
    responder->TakeAll(taking);
    serving::Call call;
    call.requests = std::move(requests);
    call.service = service;
    call.method = method;
    call.payload = request.SerializeAsString();
    call.peer = "127.0.0.1:5";
    backend_->Start(std::move(call), responder);
    return responder;
  }

  // A method of the other service.
  std::shared_ptr<FakeResponder> StartOfCluster(const std::string& method, const google::protobuf::Message& request,
                                                bool taking = true) {
    return Start(method, request, taking, nullptr, "cloudstate.dev.v1.Cluster");
  }

  std::shared_ptr<FakeResponder> StartOfFigures(const std::string& method, const google::protobuf::Message& request,
                                                bool taking = true) {
    return Start(method, request, taking, nullptr, "cloudstate.dev.v1.Figures");
  }

  std::shared_ptr<FakeResponder> StartOfScaling(const std::string& method, const google::protobuf::Message& request,
                                                bool taking = true) {
    return Start(method, request, taking, nullptr, "cloudstate.dev.v1.Scaling");
  }

  std::shared_ptr<FakeResponder> StartOfCrdts(const std::string& method, const google::protobuf::Message& request) {
    return Start(method, request, true, nullptr, "cloudstate.dev.v1.Crdts");
  }

  void Store(const std::string& entity_id) {
    {
      std::lock_guard lock(journal_.mutex);
      journal_.browser.AddEvent(entity_id, {"type.googleapis.com/shop.Added", ""});
    }
    std::lock_guard lock(live_.mutex);
    if (live_.commit_watcher && live_.watchers > 0) live_.commit_watcher();
  }

  void EndTrace(const std::string& id) {
    auto trace = std::make_shared<trace::Trace>();
    trace->id = id;
    live_.trace_watcher(trace);
  }

  static dev::v1::WatchEventsRequest After(std::int64_t position) {
    dev::v1::WatchEventsRequest request;
    request.set_after_position(position);
    return request;
  }

  SharedJournal journal_;
  FakeLive live_;
  absl::Status open_failure_;
  IdleControl control_;
  std::unique_ptr<AdminBackend> backend_ = std::make_unique<AdminBackend>(
      live_, control_,
      AdminBackend::Options{.open_journal = [this]() -> absl::StatusOr<std::unique_ptr<journal::Browser>> {
                              if (!open_failure_.ok()) return open_failure_;
                              return std::make_unique<SharedBrowser>(journal_);
                            },
                            .descriptor_sets = {}});
};

}  // namespace cloudstate::admin
