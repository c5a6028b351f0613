// The number of replicas goes up, down, to zero and back under load: no call fails, and nothing that was done is lost.

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cloudstate/dev/v1/scaling.pb.h"
#include "google/protobuf/util/json_util.h"
#include "samples/cpp/shopping_cart.h"
#include "shoppingcart/shoppingcart.grpc.pb.h"
#include "tests/support/emulator_process.h"
#include "tests/support/http_client.h"

namespace cloudstate {
namespace {

namespace cart = com::example::shoppingcart;

constexpr auto kDeadline = std::chrono::seconds(60);  // a cold start on a busy machine takes time
constexpr absl::Duration kPatience = absl::Seconds(90);

bool WaitFor(const std::function<bool()>& condition) {
  for (const absl::Time end = absl::Now() + kPatience; absl::Now() < end;) {
    if (condition()) return true;
    absl::SleepFor(absl::Milliseconds(20));
  }
  return false;
}

std::unique_ptr<cart::ShoppingCart::Stub> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return cart::ShoppingCart::NewStub(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
}

std::set<std::string> ProductsIn(const std::string& address, const std::string& user) {
  cart::GetShoppingCart request;
  request.set_user_id(user);
  cart::Cart answer;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  const grpc::Status status = Connect(address)->GetCart(&context, request, &answer);
  EXPECT_TRUE(status.ok()) << user << ": " << status.error_message();
  std::set<std::string> products;
  for (const cart::LineItem& item : answer.items()) products.insert(item.product_id());
  return products;
}

// Clients that each put one thing after the other into a cart of their own, until the load ends.
class Load {
 public:
  Load(std::string address, std::string name, int clients) : address_(std::move(address)), name_(std::move(name)) {
    for (int client = 0; client < clients; ++client) {
      added_.emplace_back();
      threads_.emplace_back([this, client] { Run(client); });
    }
  }
  ~Load() { End(); }

  void End() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  int calls() const { return calls_; }
  // Waits for so many more calls.
  bool Goes(int calls) const {
    return WaitFor([this, enough = calls_ + calls] { return calls_ >= enough || failed_; });
  }
  // After the end.
  void ExpectThatAllIsThere() const {
    EXPECT_FALSE(failed_) << first_failure_;
    for (std::size_t client = 0; client < added_.size(); ++client) {
      EXPECT_EQ(ProductsIn(address_, UserOf(static_cast<int>(client))), added_[client]);
    }
  }

 private:
  std::string UserOf(int client) const { return absl::StrCat(name_, "-", client); }

  void Run(int client) {
    const auto stub = Connect(address_);
    for (int i = 0; !stop_; ++i) {
      cart::AddLineItem request;
      request.set_user_id(UserOf(client));
      request.set_product_id(absl::StrCat("product-", i));
      request.set_name("thing");
      request.set_quantity(1);
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + kDeadline);
      google::protobuf::Empty answer;
      const grpc::Status status = stub->AddItem(&context, request, &answer);
      if (!status.ok()) return Fail(absl::StrCat(UserOf(client), " ", i, ": ", status.error_message()));
      added_[static_cast<std::size_t>(client)].insert(request.product_id());
      ++calls_;
    }
  }

  void Fail(const std::string& what) {
    std::lock_guard lock(mutex_);
    if (!failed_) first_failure_ = what;
    failed_ = true;
  }

  const std::string address_;
  const std::string name_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> calls_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::string first_failure_;
  std::deque<std::set<std::string>> added_;  // by client, who alone touches it
  std::vector<std::thread> threads_;
};

class ScaledEmulator : public ::testing::Test {
 protected:
  void Start(std::vector<std::string> arguments) {
    emulator_ = std::make_unique<support::EmulatorProcess>(support::EmulatorProcess::Options{std::move(arguments), {}});
    ASSERT_TRUE(emulator_->WaitUntilReady()) << emulator_->process().errors();
  }
  // The sample's own processes, each of which is slow.
  static std::vector<std::string> WithSlowSample(std::vector<std::string> arguments) {
    for (const char* each : {"--", CLOUDSTATE_DEV, "sample", "shopping-cart", "--work", "20ms", "--workers", "1"}) {
      arguments.emplace_back(each);
    }
    return arguments;
  }

  template <class Message>
  Message Ask(const std::string& method, const std::string& target, const std::string& body = "") const {
    const support::HttpAnswer answer = support::Http(emulator_->admin_address(), method, target, body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    Message message;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(answer.body, &message).ok()) << answer.body;
    return message;
  }
  dev::v1::ScalingState State() {
    const auto state = Ask<dev::v1::ScalingState>("GET", "/v1/scaling");
    for (const dev::v1::Replica& replica : state.replicas()) {
      if (replica.pid() > 0) pids_.insert(replica.pid());
    }
    return state;
  }
  void Set(int replicas) {
    Ask<dev::v1::ScalingState>("POST", "/v1/scaling:set", absl::StrCat(R"({"replicas": )", replicas, "}"));
  }
  // And no others are there.
  bool WaitForReplicas(int replicas) {
    return WaitFor([&] {
      const auto state = State();
      return state.ready() == replicas && state.replicas_size() == replicas;
    });
  }
  bool WaitUntilReady(int at_least) {
    return WaitFor([&] { return State().ready() >= at_least; });
  }
  // What happened, for failures.
  std::string Story() const {
    std::vector<std::string> lines;
    const auto events = Ask<dev::v1::ListScalingEventsResponse>("GET", "/v1/scaling/events?limit=100");
    for (const dev::v1::ScalingEvent& event : events.events()) lines.push_back(event.kind() + ": " + event.text());
    return absl::StrJoin(lines, "\n");
  }

  // Of all processes of the user function that were ever seen.
  bool AllHaveEnded() const {
    return WaitFor([this] {
      return std::all_of(pids_.begin(), pids_.end(),
                         [](std::int64_t pid) { return kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH; });
    });
  }

  std::unique_ptr<support::EmulatorProcess> emulator_;
  std::set<std::int64_t> pids_;
};

TEST_F(ScaledEmulator, KnativesAutoscalerGoesFromOneToSeveralToZeroToOneAndNoCallFails) {
  ASSERT_NO_FATAL_FAILURE(Start(WithSlowSample({"--scaling", "knative", "--scale-target", "2", "--max-scale", "3",
                                                "--stable-window", "6s", "--panic-window-percentage", "20",
                                                "--scale-tick", "200ms", "--scale-to-zero-grace-period", "1s"})));
  ASSERT_TRUE(WaitForReplicas(1)) << Story();

  Load load(emulator_->client_address(), "cart", 12);
  ASSERT_TRUE(WaitUntilReady(3)) << Story();
  EXPECT_GE(pids_.size(), 3U);
  EXPECT_TRUE(load.Goes(60));
  load.End();

  ASSERT_TRUE(WaitForReplicas(0)) << Story();
  EXPECT_TRUE(AllHaveEnded());
  EXPECT_EQ(Ask<dev::v1::Status>("GET", "/v1/status").user_function().state(), dev::v1::UserFunction::IDLE);

  pids_.clear();
  load.ExpectThatAllIsThere();  // the first of these calls waits for a cold start
  ASSERT_TRUE(WaitUntilReady(1)) << Story();
  EXPECT_EQ(emulator_->Stop(), 0);
  EXPECT_FALSE(pids_.empty());
  EXPECT_TRUE(AllHaveEnded());
}

// Of 12 clients one is let in, so only those that wait tell that one replica is too few.
TEST_F(ScaledEmulator, ThePublishedAutoscalerCountsCallsThatWaitForAPlace) {
  ASSERT_NO_FATAL_FAILURE(Start(WithSlowSample(
      {"--scaling", "cloudstate", "--container-concurrency", "1", "--request-target-concurrency", "2", "--max-scale",
       "3", "--target-concurrency-window", "2s", "--request-rate-window", "1s", "--scale-tick", "200ms"})));
  ASSERT_TRUE(WaitForReplicas(1)) << Story();
  Load load(emulator_->client_address(), "cart", 12);
  EXPECT_TRUE(WaitUntilReady(3)) << Story();
  load.End();
  load.ExpectThatAllIsThere();
}

TEST_F(ScaledEmulator, ReplicasAreSetByHandUnderLoadAndNoCallFails) {
  ASSERT_NO_FATAL_FAILURE(Start(WithSlowSample({"--scaling", "manual", "--nodes", "2", "--scale-tick", "200ms"})));
  ASSERT_TRUE(WaitForReplicas(2)) << Story();
  Load load(emulator_->client_address(), "cart", 8);
  for (const int replicas : {3, 1, 0, 2}) {
    Set(replicas);
    ASSERT_TRUE(WaitForReplicas(replicas)) << Story();
    if (replicas > 0) {
      EXPECT_TRUE(load.Goes(30)) << Story();
    }
  }
  load.End();
  load.ExpectThatAllIsThere();
  EXPECT_EQ(emulator_->Stop(), 0) << emulator_->process().errors();
  EXPECT_GE(pids_.size(), 4U);
  EXPECT_TRUE(AllHaveEnded());
}

TEST_F(ScaledEmulator, AProcessThatIsKilledIsStartedAgain) {
  ASSERT_NO_FATAL_FAILURE(Start(WithSlowSample({"--scaling", "manual", "--nodes", "1"})));
  ASSERT_TRUE(WaitForReplicas(1)) << Story();
  const auto first = static_cast<pid_t>(State().replicas(0).pid());
  kill(first, SIGKILL);
  EXPECT_TRUE(WaitFor([&] {
    const auto state = State();
    return state.ready() == 1 && state.replicas(0).pid() != first && state.replicas(0).pid() != 0;
  })) << Story();
  EXPECT_TRUE(ProductsIn(emulator_->client_address(), "nobody").empty());
}

TEST_F(ScaledEmulator, ReplicasShareAUserFunctionThatRunsElsewhere) {
  auto user_function = samples::StartShoppingCart("127.0.0.1:0");
  ASSERT_TRUE(user_function.ok()) << user_function.status();
  ASSERT_NO_FATAL_FAILURE(Start({"--user-function", absl::StrCat("127.0.0.1:", (*user_function)->port()), "--scaling",
                                 "manual", "--cold-start", "300ms"}));
  Load load(emulator_->client_address(), "cart", 4);
  for (const int replicas : {3, 1, 0, 1}) {
    Set(replicas);
    ASSERT_TRUE(WaitForReplicas(replicas)) << Story();
  }
  EXPECT_TRUE(load.Goes(30));
  load.End();
  load.ExpectThatAllIsThere();
  const auto state = State();
  EXPECT_FALSE(state.real_processes());
  EXPECT_EQ(state.replicas(0).pid(), 0);
  EXPECT_GE(state.replicas(0).cold_start().seconds() * 1'000 + state.replicas(0).cold_start().nanos() / 1'000'000, 300);
}

TEST_F(ScaledEmulator, ACommandThatIsNotThereIsSaidAtTheStart) {
  const support::ToolResult result =
      support::RunTool({"run", "--ephemeral", "--port", "0", "--admin-port", "0", "--metrics-port", "0", "--scaling",
                        "manual", "--", "no-such-command"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_NE(result.errors.find("no-such-command"), std::string::npos) << result.errors;
}

}  // namespace
}  // namespace cloudstate
