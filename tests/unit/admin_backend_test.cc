#include "emulator/admin/admin_backend.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "tests/unit/fake_browser.h"

namespace cloudstate::admin {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);  // of a test that fails

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
  void WhenWritable(absl::AnyInvocable<void()> writable) override { writable(); }
  std::size_t Unsent() const override {
    std::lock_guard lock(mutex_);
    return unsent_;
  }
  void OnCancel(absl::AnyInvocable<void()> cancelled) override { cancelled_ = std::move(cancelled); }

  void Cancel() {
    if (cancelled_) cancelled_();
  }
  void TakeAll(bool take) {
    std::lock_guard lock(mutex_);
    taking_ = take;
    unsent_ = 0;
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
  absl::AnyInvocable<void()> cancelled_;
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
  std::unique_ptr<Watch> WatchTraces(trace::Recorder::Watcher watcher) override {
    std::lock_guard lock(mutex);
    trace_watcher = std::move(watcher);
    return Subscribed();
  }
  std::unique_ptr<Watch> WatchCommits(absl::AnyInvocable<void()> stored) override {
    std::lock_guard lock(mutex);
    commit_watcher = std::move(stored);
    return Subscribed();
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
  absl::StatusOr<std::int64_t> LastPosition() override {
    std::lock_guard lock(journal_.mutex);
    return journal_.browser.LastPosition();
  }
  absl::StatusOr<std::vector<journal::SnapshotRow>> Snapshots(const journal::EntityKey& key) override {
    std::lock_guard lock(journal_.mutex);
    return journal_.browser.Snapshots(key);
  }
  absl::StatusOr<std::vector<std::string>> DescriptorSets() override { return std::vector<std::string>(); }

 private:
  SharedJournal& journal_;
};

class AdminBackendTest : public testing::Test {
 protected:
  std::shared_ptr<FakeResponder> Start(const std::string& method, const google::protobuf::Message& request,
                                       bool taking = true) {
    auto responder = std::make_shared<FakeResponder>();
    responder->TakeAll(taking);
    serving::Call call;
    call.service = "cloudstate.dev.v1.Emulator";
    call.method = method;
    call.payload = request.SerializeAsString();
    call.peer = "127.0.0.1:5";
    backend_->Start(std::move(call), responder);
    return responder;
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
  std::unique_ptr<AdminBackend> backend_ = std::make_unique<AdminBackend>(
      live_, AdminBackend::Options{.open_journal = [this]() -> absl::StatusOr<std::unique_ptr<journal::Browser>> {
                                     if (!open_failure_.ok()) return open_failure_;
                                     return std::make_unique<SharedBrowser>(journal_);
                                   },
                                   .descriptor_sets = {}});
};

TEST_F(AdminBackendTest, ServesEveryMethodOfTheContract) {
  const auto services = backend_->CurrentServices();
  ASSERT_EQ(services->services.size(), 1u);
  for (int i = 0; i < services->services[0]->method_count(); ++i) {
    const google::protobuf::MethodDescriptor& method = *services->services[0]->method(i);
    auto responder = Start(method.name(), dev::v1::GetStatusRequest());
    if (method.server_streaming()) responder->Cancel();
    EXPECT_FALSE(absl::IsUnimplemented(responder->WaitForEnd())) << method.name();
  }
  EXPECT_TRUE(absl::IsUnimplemented(Start("Nothing", dev::v1::GetStatusRequest())->WaitForEnd()));
}

TEST_F(AdminBackendTest, AnswersStatusFromTheRunningEmulator) {
  auto responder = Start("GetStatus", dev::v1::GetStatusRequest());
  EXPECT_TRUE(responder->WaitForEnd().ok());
  EXPECT_EQ(responder->WaitForMessages<dev::v1::Status>(1)[0].version(), "1.2.3");
}

TEST_F(AdminBackendTest, ReadsTheJournal) {
  Store("one");
  auto responder = Start("ListEntities", dev::v1::ListEntitiesRequest());
  EXPECT_TRUE(responder->WaitForEnd().ok());
  EXPECT_EQ(responder->WaitForMessages<dev::v1::ListEntitiesResponse>(1)[0].entities(0).entity_id(), "one");
}

TEST_F(AdminBackendTest, AJournalThatCannotBeOpenedIsToldAndTriedAgain) {
  open_failure_ = absl::DataLossError("damaged");
  EXPECT_EQ(Start("ListEntities", dev::v1::ListEntitiesRequest())->WaitForEnd(), open_failure_);
  open_failure_ = absl::OkStatus();
  EXPECT_TRUE(Start("ListEntities", dev::v1::ListEntitiesRequest())->WaitForEnd().ok());
}

TEST_F(AdminBackendTest, WatchingCatchesUpAndThenFollowsEachEventOnce) {
  Store("one");
  Store("two");
  auto responder = Start("WatchEvents", After(1));
  responder->WaitForMessages<dev::v1::Event>(1);
  Store("three");
  Store("four");
  const auto events = responder->WaitForMessages<dev::v1::Event>(3);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].entity_id(), "two");
  EXPECT_EQ(events[1].entity_id(), "three");
  EXPECT_EQ(events[2].entity_id(), "four");
}

TEST_F(AdminBackendTest, WatchingWithoutAPositionBeginsWithTheNextEvent) {
  Store("old");
  auto responder = Start("WatchEvents", dev::v1::WatchEventsRequest());
  live_.WaitForWatchers(1);
  // It is there before the end of the journal is looked up, so that the first ones may still be old to it.
  for (int i = 0; responder->messages() == 0 && i < 1'000; ++i) {
    Store("new");
    Start("ListEntities", dev::v1::ListEntitiesRequest())->WaitForEnd().IgnoreError();
  }
  EXPECT_EQ(responder->WaitForMessages<dev::v1::Event>(1)[0].entity_id(), "new");
}

TEST_F(AdminBackendTest, AWatcherThatTakesNothingIsWaitedForAndLosesNothing) {
  for (int i = 0; i < 1'000; ++i) Store("one");
  auto responder = Start("WatchEvents", After(0), /*taking=*/false);
  responder->WaitForMessages<dev::v1::Event>(100);
  EXPECT_LT(responder->messages(), 300u);
  responder->TakeAll(true);
  const auto events = responder->WaitForMessages<dev::v1::Event>(1'000);
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].position(), static_cast<std::int64_t>(i) + 1);
}

TEST_F(AdminBackendTest, AWatchEndsWithItsClient) {
  auto responder = Start("WatchEvents", After(0));
  live_.WaitForWatchers(1);
  responder->Cancel();
  EXPECT_TRUE(absl::IsCancelled(responder->WaitForEnd()));
  live_.WaitForWatchers(0);
}

TEST_F(AdminBackendTest, WatchesEndWithTheEmulator) {
  auto events = Start("WatchEvents", After(0));
  auto commands = Start("WatchCommands", dev::v1::WatchCommandsRequest());
  live_.WaitForWatchers(2);
  backend_ = nullptr;
  EXPECT_TRUE(absl::IsUnavailable(events->WaitForEnd()));
  EXPECT_TRUE(absl::IsUnavailable(commands->WaitForEnd()));
  EXPECT_EQ(live_.watchers, 0);
}

TEST_F(AdminBackendTest, CommandsThatASlowWatcherMissedAreCounted) {
  auto responder = Start("WatchCommands", dev::v1::WatchCommandsRequest(), /*taking=*/false);
  live_.WaitForWatchers(1);
  const int sent = 1'000;
  for (int i = 0; i < sent; ++i) EndTrace(absl::StrCat(i));
  responder->TakeAll(true);
  std::int64_t seen = 0;
  for (std::size_t count = 1; seen < sent; ++count) {
    const auto all = responder->WaitForMessages<dev::v1::WatchCommandsResponse>(count);
    ASSERT_GE(all.size(), count);
    seen = 0;
    for (const auto& each : all) seen += 1 + each.missed();
  }
  EXPECT_EQ(seen, sent);
  EXPECT_LT(responder->messages(), 400u);
}

TEST_F(AdminBackendTest, ATraceIsFoundByItsId) {
  auto trace = std::make_shared<trace::Trace>();
  trace->id = "t1";
  trace->outcome = absl::InternalError("broken");
  live_.traces = {trace};
  dev::v1::GetCommandRequest request;
  request.set_trace_id("t1");
  auto found = Start("GetCommand", request);
  EXPECT_TRUE(found->WaitForEnd().ok());
  EXPECT_EQ(found->WaitForMessages<dev::v1::CommandTrace>(1)[0].message(), "broken");
  request.set_trace_id("t2");
  EXPECT_TRUE(absl::IsNotFound(Start("GetCommand", request)->WaitForEnd()));
}

class AdminCallTest : public AdminBackendTest {
 protected:
  AdminCallTest() { *live_.user_function.services = *backend_->CurrentServices(); }

  static dev::v1::CallRequest GetEntity(const std::string& json) {
    dev::v1::CallRequest request;
    request.set_service("cloudstate.dev.v1.Emulator");
    request.set_method("GetEntity");
    request.set_json(json);
    return request;
  }
};

TEST_F(AdminCallTest, JsonGoesInAndComesOut) {
  dev::v1::CallRequest request = GetEntity(R"({"entityId": "one"})");
  (*request.mutable_headers())["X-User"] = "me";
  (*request.mutable_headers())["x-raw-bin"] = "AAE=";
  auto responder = Start("Call", request);
  ASSERT_NE(live_.user_function.responder, nullptr);
  dev::v1::GetEntityRequest input;
  ASSERT_TRUE(input.ParseFromString(live_.user_function.call.payload));
  EXPECT_EQ(input.entity_id(), "one");
  const Metadata& metadata = live_.user_function.call.metadata;
  ASSERT_EQ(metadata.entries_size(), 2);
  for (const MetadataEntry& entry : metadata.entries()) {
    if (entry.key() == "x-user") {
      EXPECT_EQ(entry.string_value(), "me");
    } else {
      EXPECT_EQ(entry.bytes_value(), std::string("\0\1", 2));
    }
  }
  dev::v1::Entity reply;
  reply.set_service("shop.Cart");
  live_.user_function.responder->Message(reply.SerializeAsString());
  live_.user_function.responder->Finish(absl::OkStatus());
  EXPECT_TRUE(responder->WaitForEnd().ok());
  const auto response = responder->WaitForMessages<dev::v1::CallResponse>(1)[0];
  ASSERT_EQ(response.replies_size(), 1);
  EXPECT_NE(response.replies(0).find(R"("service":"shop.Cart")"), std::string::npos) << response.replies(0);
}

TEST_F(AdminCallTest, AMethodThatFailsIsAnAnswer) {
  auto responder = Start("Call", GetEntity(""));
  ASSERT_NE(live_.user_function.responder, nullptr);
  live_.user_function.responder->Finish(absl::NotFoundError("no such cart"));
  EXPECT_TRUE(responder->WaitForEnd().ok());
  const auto response = responder->WaitForMessages<dev::v1::CallResponse>(1)[0];
  EXPECT_EQ(response.code(), 5);
  EXPECT_EQ(response.message(), "no such cart");
  EXPECT_EQ(response.replies_size(), 0);
}

TEST_F(AdminCallTest, WhatCannotBeCalledIsAnErrorThatNamesWhatIsThere) {
  EXPECT_TRUE(absl::IsInvalidArgument(Start("Call", GetEntity("{nonsense"))->WaitForEnd()));
  EXPECT_TRUE(absl::IsInvalidArgument(Start("Call", GetEntity(R"({"noSuchField": 1})"))->WaitForEnd()));
  dev::v1::CallRequest request = GetEntity("{}");
  (*request.mutable_headers())["x-raw-bin"] = "!";
  EXPECT_TRUE(absl::IsInvalidArgument(Start("Call", request)->WaitForEnd()));
  request = GetEntity("{}");
  request.set_method("GetEntities");
  const absl::Status method = Start("Call", request)->WaitForEnd();
  EXPECT_TRUE(absl::IsNotFound(method));
  EXPECT_NE(method.message().find("ListEntities"), std::string::npos);
  request.set_service("shop.Cart");
  const absl::Status service = Start("Call", request)->WaitForEnd();
  EXPECT_TRUE(absl::IsNotFound(service));
  EXPECT_NE(service.message().find("cloudstate.dev.v1.Emulator"), std::string::npos);
}

TEST_F(AdminCallTest, WithoutAUserFunctionTheReasonIsTold) {
  live_.user_function.services = std::make_shared<serving::Services>();
  EXPECT_EQ(Start("Call", GetEntity("{}"))->WaitForEnd(), absl::UnavailableError("not reached yet"));
}

TEST_F(AdminCallTest, TheCallIsCancelledWithItsClient) {
  auto responder = Start("Call", GetEntity("{}"));
  responder->Cancel();
  EXPECT_TRUE(live_.user_function.cancelled);
}

TEST_F(AdminCallTest, AStreamWithoutEndIsCut) {
  auto responder = Start("Call", GetEntity("{}"));
  for (int i = 0; i < 1'001; ++i) live_.user_function.responder->Message("");
  EXPECT_TRUE(responder->WaitForEnd().ok());
  EXPECT_EQ(responder->WaitForMessages<dev::v1::CallResponse>(1)[0].code(),
            static_cast<int>(absl::StatusCode::kResourceExhausted));
  EXPECT_TRUE(live_.user_function.cancelled);
}

}  // namespace
}  // namespace cloudstate::admin
