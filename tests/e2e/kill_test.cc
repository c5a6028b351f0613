// The emulator is killed with SIGKILL under load, again and again. What a client was told is done must be in the
// journal, once and in order.

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "emulator/journal/sqlite_browser.h"
#include "samples/cpp/shopping_cart.h"
#include "shoppingcart/persistence/domain.pb.h"
#include "shoppingcart/shoppingcart.grpc.pb.h"
#include "tests/support/emulator_process.h"

namespace cloudstate {
namespace {

namespace cart = com::example::shoppingcart;

constexpr int kKills = 50;
constexpr int kClients = 6;
constexpr int kCarts = 8;

// What one client added to one cart, by numbers that grow with each attempt, and was told is done.
using Numbers = std::vector<int>;

class Acknowledged {
 public:
  void Add(int cart_number, int client, int number) {
    absl::MutexLock lock(&mutex_);
    numbers_[cart_number][client].push_back(number);
    ++count_;
  }

  void AwaitCount(int count) {
    const auto there = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return count_ >= count; };
    absl::MutexLock lock(&mutex_);
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20)));
  }

  int count() const {
    absl::MutexLock lock(&mutex_);
    return count_;
  }

  Numbers numbers(int cart_number, int client) const {
    absl::MutexLock lock(&mutex_);
    return numbers_[cart_number][client];
  }

 private:
  mutable absl::Mutex mutex_;
  std::array<std::array<Numbers, kClients>, kCarts> numbers_ ABSL_GUARDED_BY(mutex_);
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Adds to the carts in turn, each time with a number of its own, until the emulator has gone.
void AddUntilKilled(const std::string& address, int client, int& next_number, Acknowledged& acknowledged) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto stub =
      cart::ShoppingCart::NewStub(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  while (true) {
    const int number = next_number++;
    const int cart_number = (number + client) % kCarts;
    cart::AddLineItem request;
    request.set_user_id(absl::StrCat("cart-", cart_number));
    request.set_product_id("product");
    request.set_name(absl::StrCat(client, ".", number));
    request.set_quantity(1);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    google::protobuf::Empty answer;
    if (!stub->AddItem(&context, request, &answer).ok()) return;
    acknowledged.Add(cart_number, client, number);
  }
}

// What is stored of one cart, by client and in order, read on from where the last reading ended.
class StoredCart {
 public:
  explicit StoredCart(int number) : key_{"shopping-cart", absl::StrCat("cart-", number)} {}

  void ReadOn(journal::SqliteBrowser& browser) {
    while (true) {
      const auto page = browser.Events(key_, last_ + 1, 1000);
      ASSERT_TRUE(page.ok()) << page.status();
      for (const journal::EventRow& event : *page) Add(event);
      if (page->empty()) return;
    }
  }

  const Numbers& numbers(int client) const { return numbers_[client]; }
  journal::SequenceNumber last() const { return last_; }

 private:
  void Add(const journal::EventRow& event) {
    ASSERT_EQ(event.sequence, last_ + 1) << "a gap in " << key_.ToString();
    last_ = event.sequence;
    cart::persistence::ItemAdded added;
    ASSERT_TRUE(added.ParseFromString(event.payload.value));
    const std::pair<std::string, std::string> name = absl::StrSplit(added.item().name(), '.');
    int client = 0;
    int number = 0;
    ASSERT_TRUE(absl::SimpleAtoi(name.first, &client) && absl::SimpleAtoi(name.second, &number));
    Numbers& numbers = numbers_.at(static_cast<std::size_t>(client));
    ASSERT_TRUE(numbers.empty() || numbers.back() < number) << added.item().name() << " twice or out of order";
    numbers.push_back(number);
  }

  const journal::EntityKey key_;
  journal::SequenceNumber last_ = 0;
  std::array<Numbers, kClients> numbers_;
};

// All numbers grow, so this says that each is there exactly once and in order.
void ExpectAllStored(const Acknowledged& acknowledged, const std::vector<StoredCart>& stored) {
  for (int cart_number = 0; cart_number < kCarts; ++cart_number) {
    for (int client = 0; client < kClients; ++client) {
      const Numbers told = acknowledged.numbers(cart_number, client);
      const Numbers& kept = stored[static_cast<std::size_t>(cart_number)].numbers(client);
      EXPECT_TRUE(std::ranges::includes(kept, told)) << "cart " << cart_number << " lost events of client " << client;
    }
  }
}

TEST(Kill, EveryAcknowledgedEventIsThereOnceAndInOrderAfter50Kills) {
  auto user_function = samples::StartShoppingCart("127.0.0.1:0");
  ASSERT_TRUE(user_function.ok()) << user_function.status();
  const std::string address = absl::StrCat("127.0.0.1:", (*user_function)->port());
  support::EmulatorProcess emulator({{"--user-function", address}, {}});
  std::vector<StoredCart> stored;
  for (int i = 0; i < kCarts; ++i) stored.emplace_back(i);
  std::array<int, kClients> next_number{};
  Acknowledged acknowledged;
  for (int kills = 0; kills < kKills; ++kills) {
    ASSERT_TRUE(emulator.WaitUntilReady()) << emulator.process().errors();
    std::vector<std::thread> clients;
    for (int client = 0; client < kClients; ++client) {
      clients.emplace_back([&, client, to = emulator.client_address()] {
        AddUntilKilled(to, client, next_number[static_cast<std::size_t>(client)], acknowledged);
      });
    }
    acknowledged.AwaitCount(acknowledged.count() + 60 + kills * 37 % 150);  // not always at the same point
    emulator.Kill();
    for (std::thread& client : clients) client.join();
    emulator.StartAgain();
    ASSERT_TRUE(emulator.WaitUntilReady()) << emulator.process().errors();
    auto browser = journal::SqliteBrowser::Open(emulator.data_directory() + "/journal.db");
    ASSERT_TRUE(browser.ok()) << browser.status();
    for (StoredCart& each : stored) ASSERT_NO_FATAL_FAILURE(each.ReadOn(**browser));
    ExpectAllStored(acknowledged, stored);
    if (::testing::Test::HasFailure()) FAIL() << "after kill " << kills + 1;
  }

  // Once more from the beginning: what was there stays there. And the carts say the same.
  auto browser = journal::SqliteBrowser::Open(emulator.data_directory() + "/journal.db");
  ASSERT_TRUE(browser.ok()) << browser.status();
  const auto stub =
      cart::ShoppingCart::NewStub(grpc::CreateChannel(emulator.client_address(), grpc::InsecureChannelCredentials()));
  std::vector<StoredCart> again;
  for (int i = 0; i < kCarts; ++i) {
    again.emplace_back(i);
    ASSERT_NO_FATAL_FAILURE(again.back().ReadOn(**browser));
    cart::GetShoppingCart request;
    request.set_user_id(absl::StrCat("cart-", i));
    grpc::ClientContext context;
    cart::Cart answer;
    ASSERT_TRUE(stub->GetCart(&context, request, &answer).ok());
    EXPECT_EQ(answer.items(0).quantity(), again.back().last());
  }
  ExpectAllStored(acknowledged, again);
  EXPECT_GE(acknowledged.count(), kKills * 60);
}

}  // namespace
}  // namespace cloudstate
