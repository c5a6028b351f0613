// One of three nodes is killed under load: what clients were told is done stays done, once, and the others take over
// soon.

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cloudstate/dev/v1/cluster.grpc.pb.h"
#include "emulator/journal/sqlite_browser.h"
#include "samples/cpp/shopping_cart.h"
#include "shoppingcart/persistence/domain.pb.h"
#include "shoppingcart/shoppingcart.grpc.pb.h"
#include "tests/support/emulator_process.h"

namespace cloudstate {
namespace {

namespace cart = com::example::shoppingcart;

constexpr int kClients = 10;
constexpr int kCartsEach = 3;
constexpr auto kPause = std::chrono::milliseconds(20);  // of each client: 500 calls a second together
constexpr int kKilled = 2;

std::string CartOf(int client, int number) { return absl::StrCat("cart-", client, "-", number % kCartsEach); }

// Adds to its own carts, one after the other, and notes down what was answered.
class Client {
 public:
  explicit Client(int number) : number_(number) {}

  void Run(const std::string& address, const std::atomic<bool>& stop) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto stub =
        cart::ShoppingCart::NewStub(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    for (int i = 0; !stop; ++i) {
      cart::AddLineItem request;
      request.set_user_id(CartOf(number_, i));
      request.set_product_id(absl::StrCat("product-", i));
      request.set_name("thing");
      request.set_quantity(1);
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
      google::protobuf::Empty answer;
      const bool ok = stub->AddItem(&context, request, &answer).ok();
      if (ok) {
        acknowledged_[request.user_id()].insert(request.product_id());
        const absl::Time now = absl::Now();
        if (last_success_ != absl::InfinitePast()) longest_gap_ = std::max(longest_gap_, now - last_success_);
        last_success_ = now;
      }
      ++(ok ? succeeded_ : failed_);
      std::this_thread::sleep_for(kPause);
    }
  }

  const std::map<std::string, std::set<std::string>>& acknowledged() const { return acknowledged_; }
  absl::Duration longest_gap() const { return longest_gap_; }
  int succeeded() const { return succeeded_; }
  int failed() const { return failed_; }

 private:
  const int number_;
  std::map<std::string, std::set<std::string>> acknowledged_;  // by cart
  absl::Time last_success_ = absl::InfinitePast();
  absl::Duration longest_gap_;
  std::atomic<int> succeeded_ = 0;
  std::atomic<int> failed_ = 0;
};

// When something of this kind was first said to have happened to the node since then; the infinite future if never.
absl::Time WhenFirst(dev::v1::Cluster::Stub& admin, const std::string& kind, const std::string& text,
                     absl::Time since) {
  dev::v1::ListClusterEventsRequest request;
  request.set_limit(1000);
  dev::v1::ListClusterEventsResponse events;
  grpc::ClientContext context;
  EXPECT_TRUE(admin.ListClusterEvents(&context, request, &events).ok());
  for (const dev::v1::ClusterEvent& event : events.events()) {
    if (event.kind() != kind || event.text().find(text) == std::string::npos) continue;
    const absl::Time time = absl::FromUnixSeconds(event.time().seconds()) + absl::Nanoseconds(event.time().nanos());
    if (time >= since) return time;
  }
  return absl::InfiniteFuture();
}

bool WaitFor(const std::function<bool()>& condition) {
  for (const absl::Time end = absl::Now() + absl::Seconds(20); absl::Now() < end;) {
    if (condition()) return true;
    absl::SleepFor(absl::Milliseconds(50));
  }
  return false;
}

// Each product once, in sequences without gaps, and none missing that was acknowledged.
void ExpectAllStored(journal::SqliteBrowser& browser, const Client& client) {
  for (const auto& [cart_id, products] : client.acknowledged()) {
    const auto events = browser.Events({"shopping-cart", cart_id}, 1, 100'000);
    ASSERT_TRUE(events.ok()) << events.status();
    std::set<std::string> stored;
    journal::SequenceNumber last = 0;
    for (const journal::EventRow& event : *events) {
      ASSERT_EQ(event.sequence, ++last) << "a gap in " << cart_id;
      cart::persistence::ItemAdded added;
      ASSERT_TRUE(added.ParseFromString(event.payload.value));
      EXPECT_TRUE(stored.insert(added.item().productid()).second)
          << added.item().productid() << " twice in " << cart_id;
    }
    for (const std::string& product : products)
      EXPECT_TRUE(stored.contains(product)) << product << " lost of " << cart_id;
  }
}

TEST(ClusterKill, ANodeThatIsKilledUnderLoadLosesNothingAndIsReplacedSoon) {
  auto user_function = samples::StartShoppingCart("127.0.0.1:0");
  ASSERT_TRUE(user_function.ok()) << user_function.status();
  support::EmulatorProcess emulator(
      {{"--user-function", absl::StrCat("127.0.0.1:", (*user_function)->port()), "--nodes", "3"}, {}});
  ASSERT_TRUE(emulator.WaitUntilReady()) << emulator.process().errors();
  const auto admin =
      dev::v1::Cluster::NewStub(grpc::CreateChannel(emulator.admin_address(), grpc::InsecureChannelCredentials()));

  std::deque<Client> clients;
  std::array<std::thread, kClients> threads;
  std::atomic<bool> stop = false;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back(i);
    threads[static_cast<std::size_t>(i)] =
        std::thread([&, i] { clients[static_cast<std::size_t>(i)].Run(emulator.client_address(), stop); });
  }
  const auto count = [&] {
    int calls = 0;
    for (const Client& client : clients) calls += client.succeeded();
    return calls;
  };
  EXPECT_TRUE(WaitFor([&] { return count() > 500; }));

  dev::v1::Steering steering;
  steering.mutable_kill()->set_node(kKilled);
  dev::v1::SteerResponse answer;
  grpc::ClientContext context;
  const absl::Time killed = absl::Now();
  EXPECT_TRUE(admin->Steer(&context, steering, &answer).ok());
  EXPECT_TRUE(WaitFor([&] { return WhenFirst(*admin, "unreachable", "node 2", killed) != absl::InfiniteFuture(); }));
  const int then = count();
  EXPECT_TRUE(WaitFor([&] { return count() > then + 1500; }));
  stop = true;
  for (std::thread& thread : threads) thread.join();

  const absl::Duration detection = WhenFirst(*admin, "unreachable", "node 2", killed) - killed;
  EXPECT_LT(detection, absl::Seconds(10));
  auto browser = journal::SqliteBrowser::Open(emulator.data_directory() + "/journal.db");
  ASSERT_TRUE(browser.ok()) << browser.status();
  int failed = 0;
  for (const Client& client : clients) {
    EXPECT_LE(client.longest_gap(), detection + absl::Seconds(5));
    ASSERT_NO_FATAL_FAILURE(ExpectAllStored(**browser, client));
    failed += client.failed();
  }
  // At the moment of the kill each client has one call open at most, and no other call fails.
  EXPECT_LE(failed, kClients * 2);
  EXPECT_EQ(emulator.Stop(), 0);
}

}  // namespace
}  // namespace cloudstate
