// Beginning anew, from something, and waiting, with the real binary and its samples.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cloudstate/dev/v1/crdt.pb.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cloudstate/dev/v1/testing.pb.h"
#include "emulator/base/proto_time.h"
#include "google/protobuf/descriptor.pb.h"
#include "tests/e2e/running_emulator.h"
#include "tests/support/http_client.h"

namespace cloudstate {
namespace {

using support::Http;
using support::HttpAnswer;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kNothing[] = R"({"items":[]})";

// The arguments of `run` for a sample that counts as somebody else's user function.
std::vector<std::string> RunOf(const std::string& sample, std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--", CLOUDSTATE_DEV, "sample", sample});
  return arguments;
}

class ResettableEmulator : public RunningEmulator {
 protected:
  explicit ResettableEmulator(std::vector<std::string> arguments) : RunningEmulator(std::move(arguments)) {}

  HttpAnswer Ask(const std::string& target, const std::string& body = "{}") const {
    return Http(emulator_.admin_address(), "POST", absl::StrCat("/v1/testing/", target), body);
  }
  template <class Message>
  Message Told(const std::string& target, const std::string& body = "{}") const {
    const HttpAnswer answer = Ask(target, body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return FromJson<Message>(answer.body);
  }
  absl::Duration Reset() const { return base::FromDuration(Told<dev::v1::ResetResponse>("reset").duration()); }
  std::string Post(const std::string& target, const std::string& body) const {
    return Http(emulator_.client_address(), "POST", target, body).body;
  }
  std::string Get(const std::string& target) const { return Http(emulator_.client_address(), "GET", target).body; }
  HttpAnswer Add(const std::string& user) const {
    return Http(emulator_.client_address(), "POST", absl::StrCat("/cart/", user, "/items/add"),
                R"({"productId": "p", "name": "Pen", "quantity": 1})");
  }
  std::string Cart(const std::string& user) const { return Get("/carts/" + user); }
  std::int64_t StoredEvents() const {
    return FromJson<dev::v1::Status>(Http(emulator_.admin_address(), "GET", "/v1/status").body).stored_events();
  }
};

std::string CartOf(int quantity) {
  return absl::StrCat(R"({"items":[{"productId":"p","name":"Pen","quantity":)", quantity, "}]}");
}

// ---- one node, event-sourced

class ResettableCarts : public ResettableEmulator {
 protected:
  ResettableCarts() : ResettableEmulator(RunOf("shopping-cart", {"--ephemeral"})) {}
};

TEST_F(ResettableCarts, AHundredResetsEachLeaveNothingAndServeAtOnce) {
  absl::Duration quickest = absl::InfiniteDuration();
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(Add("a").status, 200) << i;
    ASSERT_EQ(Cart("a"), CartOf(1)) << i;
    quickest = std::min(quickest, Reset());
    ASSERT_EQ(Cart("a"), kNothing) << i;
  }
  EXPECT_LT(quickest, absl::Milliseconds(200)) << "it waits for a timer";
  EXPECT_EQ(StoredEvents(), 0);
}

TEST_F(ResettableCarts, CallsUnderWayEndOrAreAnsweredAndNothingOfThemIsLeft) {
  constexpr int kClients = 4;
  constexpr int kCalls = 50;
  std::vector<std::future<int>> clients;
  for (int client = 0; client < kClients; ++client) {
    clients.push_back(std::async(std::launch::async, [this, client] {
      int refused = 0;
      for (int i = 0; i < kCalls; ++i) {
        const HttpAnswer answer = Add(absl::StrCat("user-", client));
        if (answer.status == 200) continue;
        EXPECT_EQ(answer.status, 503) << answer.body;
        EXPECT_THAT(answer.body, HasSubstr("reset"));
        ++refused;
      }
      return refused;
    }));
  }
  for (int i = 0; i < 20; ++i) Reset();
  for (std::future<int>& each : clients) EXPECT_LE(each.get(), kCalls);
  Reset();
  EXPECT_EQ(StoredEvents(), 0);
  for (int client = 0; client < kClients; ++client) EXPECT_EQ(Cart(absl::StrCat("user-", client)), kNothing);
}

TEST_F(ResettableCarts, SeededEventsAndSnapshotsAreWhatACommandFinds) {
  ASSERT_EQ(Add("a").status, 200);
  const std::string seed = R"({"entities": [{"service": "ShoppingCart", "entityId": "a",
      "events": [{"type": "ItemAdded", "json": "{\"item\": {\"productId\": \"p\", \"name\": \"Pen\", \"quantity\": 4}}"}]},
    {"service": "com.example.shoppingcart.ShoppingCart", "entityId": "b",
      "events": [{"type": "ItemRemoved", "json": "{\"productId\": \"q\"}"}],
      "snapshot": {"type": "com.example.shoppingcart.persistence.Cart",
                   "json": "{\"items\": [{\"productId\": \"p\", \"name\": \"Pen\", \"quantity\": 7}]}"}}]})";
  const auto seeded = Told<dev::v1::SeedResponse>("seed", seed);
  ASSERT_THAT(seeded.entities(), SizeIs(2));
  EXPECT_EQ(seeded.entities(0).last_sequence(), 2);
  EXPECT_EQ(seeded.entities(1).snapshot_sequence(), 1);
  EXPECT_EQ(Cart("a"), CartOf(5));
  EXPECT_EQ(Cart("b"), CartOf(7));
  EXPECT_THAT(Output({"journal", "show", "a"}), HasSubstr("by Testing.Seed"));

  const HttpAnswer wrong = Ask("seed", R"({"entities": [{"service": "ShoppingCart", "entityId": "a",
      "events": [{"type": "ItemAded"}]}]})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(wrong.body, HasSubstr("did you mean 'ItemAdded'?"));
}

TEST_F(ResettableCarts, AStateIsRestoredTwiceListedAndForgotten) {
  ASSERT_EQ(Add("a").status, 200);
  const auto saved = Told<dev::v1::SavedState>("states", R"({"name": "one pen"})");
  EXPECT_EQ(saved.events(), 1);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(Add("a").status, 200);
    ASSERT_EQ(Cart("a"), CartOf(2));
    Told<dev::v1::SavedState>("states/one%20pen:restore");
    EXPECT_EQ(Cart("a"), CartOf(1));
  }
  const std::string list = Http(emulator_.admin_address(), "GET", "/v1/testing/states").body;
  EXPECT_THAT(list, HasSubstr("one pen"));
  Reset();
  EXPECT_EQ(Cart("a"), kNothing);
  EXPECT_EQ(Ask("states/one%20pen:restore").status, 404);
}

TEST_F(ResettableCarts, EvictedEntitiesAreLoadedAnewTypesAreToldAndIdleIsWaitedFor) {
  ASSERT_EQ(Add("a").status, 200);
  ASSERT_EQ(Add("b").status, 200);
  EXPECT_EQ(Told<dev::v1::EvictResponse>("evict").evicted(), 2);
  ASSERT_TRUE(Eventually([&] {
    return FromJson<dev::v1::Status>(Http(emulator_.admin_address(), "GET", "/v1/status").body).active_entities() == 0;
  }));
  EXPECT_EQ(Cart("a"), CartOf(1));
  Told<dev::v1::WaitResponse>("wait", R"({"converged": true})");
  const auto types = FromJson<dev::v1::Types>(Http(emulator_.admin_address(), "GET", "/v1/testing/types").body);
  google::protobuf::FileDescriptorSet set;
  ASSERT_TRUE(set.ParseFromString(types.file_descriptor_set()));
  EXPECT_THAT(set.file(set.file_size() - 1).name(), HasSubstr("shoppingcart"));
}

TEST_F(ResettableCarts, AResetEndsWhatIsNeverAnsweredAndWhoWaitsForThat) {
  Told<dev::v1::Fault>("faults", R"({"fault": {"kind": "NO_ANSWER"}})");
  auto call = std::async(std::launch::async, [this] { return Add("a"); });
  ASSERT_TRUE(Eventually([&] { return Ask("wait", R"({"timeout": "0s"})").status == 504; }));
  auto wait = std::async(std::launch::async, [this] { return Ask("wait", R"({"timeout": "60s"})"); });
  Reset();
  EXPECT_EQ(call.get().status, 503);
  EXPECT_EQ(wait.get().status, 200);
  EXPECT_EQ(Add("a").status, 200) << "the fault has gone, too";
}

TEST_F(ResettableCarts, TheEmulatorEndsWhileSomebodyWaits) {
  Told<dev::v1::Fault>("faults", R"({"fault": {"kind": "NO_ANSWER"}})");
  auto call = std::async(std::launch::async, [this] { return Add("a"); });
  ASSERT_TRUE(Eventually(
      [&] { return absl::StrContains(Ask("wait", R"({"timeout": "0s"})").body, "in the user function's hands"); }));
  auto wait = std::async(std::launch::async, [this] { return Ask("wait", R"({"timeout": "300s"})"); });
  EXPECT_EQ(emulator_.Stop(), 0);
  EXPECT_NE(call.get().status, 200);
  EXPECT_NE(wait.get().status, 200);
}

// ---- values

class ResettableValues : public ResettableEmulator {
 protected:
  ResettableValues() : ResettableEmulator(RunOf("value-shopping-cart", {"--ephemeral"})) {}
};

TEST_F(ResettableValues, TheLastSeededOneIsTheValue) {
  Told<dev::v1::SeedResponse>("seed", R"({"entities": [{"service": "ShoppingCart", "entityId": "a", "events": [
      {"type": "com.example.valueentity.shoppingcart.persistence.Cart"},
      {"type": "com.example.valueentity.shoppingcart.persistence.Cart",
       "json": "{\"items\": [{\"productId\": \"p\", \"name\": \"Pen\", \"quantity\": 3}]}"}]}]})");
  EXPECT_EQ(Get("/ve/carts/a"), CartOf(3));
  EXPECT_EQ(Ask("seed", R"({"entities": [{"service": "ShoppingCart", "entityId": "a",
      "events": [{"type": "com.example.valueentity.shoppingcart.persistence.Cart"}],
      "snapshot": {"type": "com.example.valueentity.shoppingcart.persistence.Cart"}}]})")
                .status,
            400);
  Reset();
  EXPECT_EQ(Get("/ve/carts/a"), kNothing);
}

// ---- three nodes, CRDTs

class ResettableHits : public ResettableEmulator {
 protected:
  explicit ResettableHits(std::vector<std::string> arguments = {"--ephemeral"})
      : ResettableEmulator(RunOf("counters", WithNodes(std::move(arguments)))) {}

  static std::vector<std::string> WithNodes(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--nodes", "3"});
    return arguments;
  }
  void Hit(int times) const {
    for (int i = 0; i < times; ++i) Post("/hits/a", "{}");
  }
  // As the nodes in turn have it.
  std::vector<std::string> Counts() const { return {Get("/hits/a"), Get("/hits/a"), Get("/hits/a")}; }
  static std::vector<std::string> All(int count) {
    return std::vector<std::string>(3, absl::StrCat(R"({"value":")", count, R"("})"));
  }
  void Converge() const { Told<dev::v1::WaitResponse>("wait", R"({"converged": true})"); }

  // The same for all that these nodes may have.
  void BeginAnewAndFromASavedState() const {
    Hit(6);
    Converge();
    ASSERT_EQ(Counts(), All(6));
    Told<dev::v1::SavedState>("states", R"({"name": "six"})");
    Hit(3);
    Converge();
    ASSERT_EQ(Counts(), All(9));
    EXPECT_EQ(Told<dev::v1::SavedState>("states/six:restore").crdts(), 1);
    EXPECT_EQ(Counts(), All(6));
    Hit(3);  // whose changes are on their way still
    Reset();
    EXPECT_EQ(Counts(), All(0));
    Converge();
    EXPECT_EQ(Counts(), All(0));
    Hit(1);
    Converge();
    EXPECT_EQ(Counts(), All(1));
  }
};

TEST_F(ResettableHits, BeginAnewAndFromASavedState) { BeginAnewAndFromASavedState(); }

class ResettableHitsOnDisk : public ResettableHits {
 protected:
  ResettableHitsOnDisk() : ResettableHits({"--allow-reset"}) {}
};

TEST_F(ResettableHitsOnDisk, BeginAnewAndFromASavedState) {
  BeginAnewAndFromASavedState();
  ASSERT_EQ(emulator_.Stop(), 0);
  emulator_.StartAgain();
  ASSERT_TRUE(emulator_.WaitUntilReady());
  EXPECT_EQ(Counts(), All(1));
}

// ---- where somebody may miss it

class KeptCarts : public ResettableEmulator {
 protected:
  KeptCarts() : ResettableEmulator(RunOf("shopping-cart", {})) {}
};

TEST_F(KeptCarts, AreNotTakenAway) {
  ASSERT_EQ(Add("a").status, 200);
  const HttpAnswer refused = Ask("reset");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("--allow-reset"));
  EXPECT_EQ(Cart("a"), CartOf(1));
}

class ScaledCarts : public ResettableEmulator {
 protected:
  ScaledCarts() : ResettableEmulator(RunOf("shopping-cart", {"--ephemeral", "--scaling", "manual"})) {}
};

TEST_F(ScaledCarts, AreNotResetEither) {
  const HttpAnswer refused = Ask("reset");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("--scaling"));
}

}  // namespace
}  // namespace cloudstate
