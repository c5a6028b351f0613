// Time that goes on at once, faults, and what has happened since a mark, with the real binary and a sample.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cloudstate/dev/v1/cluster.pb.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cloudstate/dev/v1/scaling.pb.h"
#include "cloudstate/dev/v1/testing.pb.h"
#include "emulator/base/proto_time.h"
#include "tests/e2e/running_emulator.h"
#include "tests/support/http_client.h"

namespace cloudstate {
namespace {

using support::Http;
using support::HttpAnswer;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ControlledEmulator : public RunningEmulator {
 protected:
  explicit ControlledEmulator(std::vector<std::string> arguments) : RunningEmulator(WithSample(std::move(arguments))) {}

  static std::vector<std::string> WithSample(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--ephemeral", "--", CLOUDSTATE_DEV, "sample", "shopping-cart"});
    return arguments;
  }
  template <class Message>
  Message Get(const std::string& target) const {
    const HttpAnswer answer = Http(emulator_.admin_address(), "GET", target);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return FromJson<Message>(answer.body);
  }
  template <class Message>
  Message Post(const std::string& target, const std::string& body) const {
    const HttpAnswer answer = Http(emulator_.admin_address(), "POST", target, body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return FromJson<Message>(answer.body);
  }

  absl::Duration Advance(const std::string& by) const {
    return base::FromDuration(
        Post<dev::v1::AdvanceTimeResponse>("/v1/testing/time:advance", absl::StrCat(R"({"by": ")", by, R"("})"))
            .ahead());
  }
  dev::v1::Fault Inject(const std::string& fault) const {
    return Post<dev::v1::Fault>("/v1/testing/faults", absl::StrCat(R"({"fault": {)", fault, "}}"));
  }
  // How often the only fault has struck; -1 where there is none.
  std::int64_t Struck() const {
    const auto listed = Get<dev::v1::ListFaultsResponse>("/v1/testing/faults");
    return listed.faults().empty() ? -1 : listed.faults(0).struck();
  }
  dev::v1::ListSinceResponse Since(const dev::v1::Mark& mark, int limit = 0) const {
    return Post<dev::v1::ListSinceResponse>(
        "/v1/testing/since",
        absl::StrCat(R"({"limit": )", limit, R"(, "mark": {"position": ")", mark.position(), R"(", "commands": ")",
                     mark.commands(), R"(", "clusterEvents": ")", mark.cluster_events(), R"("}})"));
  }
  void ClearFaults() const { Post<dev::v1::ListFaultsResponse>("/v1/testing/faults:clear", "{}"); }

  HttpAnswer Add(const std::string& user, const std::string& headers = "Content-Type: application/json\r\n") const {
    return Http(emulator_.client_address(), "POST", absl::StrCat("/cart/", user, "/items/add"),
                R"({"productId": "p", "name": "Pen", "quantity": 1})", headers);
  }
  std::string Cart(const std::string& user) const {
    return Http(emulator_.client_address(), "GET", absl::StrCat("/carts/", user)).body;
  }
  std::future<HttpAnswer> AddMeanwhile(const std::string& user) const {
    return std::async(std::launch::async, [this, user] { return Add(user); });
  }
};

// ---- time

class TimeOfThreeNodes : public ControlledEmulator {
 protected:
  TimeOfThreeNodes() : ControlledEmulator({"--nodes", "3"}) {}

  bool AllNodesAreUp() const {
    const auto nodes = Get<dev::v1::ListNodesResponse>("/v1/nodes");
    for (const dev::v1::Node& node : nodes.nodes()) {
      if (node.state() != "up" || node.unreachable_size() > 0) return false;
    }
    return nodes.nodes_size() == 3;
  }
};

TEST_F(TimeOfThreeNodes, EntitiesArePassivatedNobodyIsSuspectedAndWhatIsStoredIsOfThatTime) {
  ASSERT_TRUE(Eventually([&] { return AllNodesAreUp(); }));
  for (const char* user : {"a", "b", "c"}) ASSERT_EQ(Add(user).status, 200);
  EXPECT_EQ(Get<dev::v1::Status>("/v1/status").active_entities(), 3);
  EXPECT_EQ(Advance("3600s"), absl::Hours(1));
  EXPECT_EQ(Get<dev::v1::Status>("/v1/status").active_entities(), 0);
  EXPECT_TRUE(AllNodesAreUp());
  const auto told = Get<dev::v1::ListClusterEventsResponse>("/v1/cluster/events?limit=1000");
  for (const dev::v1::ClusterEvent& event : told.events()) EXPECT_NE(event.kind(), "unreachable") << event.text();

  // A client's own clock has not jumped.
  EXPECT_EQ(Add("a", "Content-Type: application/json\r\nX-Server-Timeout: 20\r\n").status, 200);
  const auto stored = Get<dev::v1::ListNewestEventsResponse>("/v1/events").events();
  ASSERT_EQ(stored.size(), 4);
  EXPECT_GE(base::FromTimestamp(stored[3].time()) - base::FromTimestamp(stored[2].time()), absl::Hours(1));
  EXPECT_EQ(Advance("60s"), absl::Hours(1) + absl::Minutes(1));
}

TEST_F(TimeOfThreeNodes, DoesNotGoBackOrTooFar) {
  for (const char* by : {"-1s", "86401s"}) {
    const HttpAnswer refused =
        Http(emulator_.admin_address(), "POST", "/v1/testing/time:advance", absl::StrCat(R"({"by": ")", by, R"("})"));
    EXPECT_EQ(refused.status, 400);
    EXPECT_THAT(refused.body, HasSubstr("at most 24h"));
  }
}

class TimeOfReplicas : public ControlledEmulator {
 protected:
  TimeOfReplicas() : ControlledEmulator({"--scaling", "knative"}) {}
};

TEST_F(TimeOfReplicas, ScaleToZeroAtOnceAndCallsBringThemBack) {
  ASSERT_EQ(Add("a").status, 200);
  Advance("600s");
  ASSERT_TRUE(Eventually([&] { return Get<dev::v1::ScalingState>("/v1/scaling").ready() == 0; }));
  EXPECT_EQ(Get<dev::v1::ScalingState>("/v1/scaling").wanted(), 0);
  EXPECT_EQ(Add("a").status, 200);
  EXPECT_THAT(Cart("a"), HasSubstr(R"("quantity":2)"));
}

// ---- faults

class FaultsOfARun : public ControlledEmulator {
 protected:
  FaultsOfARun() : ControlledEmulator({"--relay-timeout", "60s"}) {}
};

TEST_F(FaultsOfARun, AWriteThatFailsIsToldAndNothingIsStored) {
  ASSERT_EQ(Add("a").status, 200);
  Inject(R"("kind": "FAILED_WRITE", "service": "ShoppingCart", "method": "AddItem", "entityId": "a", "times": 2)");
  for (int i = 0; i < 2; ++i) {
    const HttpAnswer refused = Add("a");
    EXPECT_EQ(refused.status, 429);
    EXPECT_THAT(refused.body, HasSubstr("the journal is full: a fault that a test injected"));
    EXPECT_EQ(Add("b").status, 200);
  }
  EXPECT_EQ(Struck(), -1);
  EXPECT_THAT(Cart("a"), HasSubstr(R"("quantity":1)"));
  EXPECT_EQ(Add("a").status, 200);
  EXPECT_THAT(Cart("a"), HasSubstr(R"("quantity":2)"));
}

TEST_F(FaultsOfARun, AnEntityThatCannotBeReadIsThereAgainLater) {
  Inject(R"("kind": "FAILED_READ", "entityId": "a")");
  const HttpAnswer failed = Add("a");
  EXPECT_EQ(failed.status, 503);
  EXPECT_THAT(failed.body, HasSubstr("a fault that a test injected"));
  EXPECT_GE(Struck(), 1);
  ClearFaults();
  EXPECT_EQ(Add("a").status, 200);
}

TEST_F(FaultsOfARun, ALostStreamFailsItsCommandOnly) {
  ASSERT_EQ(Add("a").status, 200);
  Inject(R"("kind": "LOST_STREAM", "entityId": "a", "after": 1)");
  EXPECT_EQ(Add("a").status, 200);
  EXPECT_EQ(Add("a").status, 500);
  EXPECT_EQ(Struck(), 1);
  ClearFaults();
  EXPECT_THAT(Cart("a"), HasSubstr(R"("quantity":2)"));
}

TEST_F(FaultsOfARun, ASlowUserFunctionAnswersWhenTheFaultIsCleared) {
  Inject(R"("kind": "SLOW", "delay": "30s")");
  auto slow = AddMeanwhile("a");
  ASSERT_TRUE(Eventually([&] { return Struck() == 1; }));
  EXPECT_EQ(slow.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  ClearFaults();
  EXPECT_EQ(slow.get().status, 200);
}

TEST_F(FaultsOfARun, ACommandThatIsNeverAnsweredReachesItsTimeLimit) {
  Inject(R"("kind": "NO_ANSWER", "times": 1, "entityId": "a")");
  auto unanswered = AddMeanwhile("a");
  ASSERT_TRUE(Eventually([&] { return Struck() == -1; }));
  Advance("3600s");
  EXPECT_EQ(unanswered.get().status, 504);
  EXPECT_EQ(Add("a").status, 200);
  EXPECT_THAT(Cart("a"), HasSubstr(R"("quantity":1)"));
}

TEST_F(FaultsOfARun, AServiceThatIsNotThereIsRefused) {
  const HttpAnswer refused = Http(emulator_.admin_address(), "POST", "/v1/testing/faults",
                                  R"({"fault": {"kind": "NO_ANSWER", "service": "Cart"}})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("has no service 'Cart'; there is com.example.shoppingcart.ShoppingCart"));
}

// ---- what has happened

// Some of the entities live on other nodes than the one that is called.
TEST_F(TimeOfThreeNodes, WhatACommandLedToIsThereWhenItHasBeenAnswered) {
  ASSERT_TRUE(Eventually([&] { return AllNodesAreUp(); }));
  auto mark = Get<dev::v1::Mark>("/v1/testing/mark");
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(Add(absl::StrCat("user", i % 8)).status, 200);
    const auto since = Since(mark);
    ASSERT_EQ(since.events_size(), 1);
    EXPECT_EQ(since.events(0).sequence(), i / 8 + 1);
    ASSERT_EQ(since.commands_size(), 1);
    EXPECT_EQ(since.commands(0).entity_id(), absl::StrCat("user", i % 8));
    EXPECT_GT(since.commands(0).steps_size(), 0);
    EXPECT_EQ(since.missed(), 0);
    mark = since.mark();
  }
}

TEST_F(FaultsOfARun, WhatIsBeyondTheLimitIsCountedAndComesNext) {
  for (int i = 0; i < 5; ++i) ASSERT_EQ(Add("a").status, 200);
  const auto first = Since(dev::v1::Mark(), 2);
  EXPECT_THAT(first.events(), SizeIs(2));
  EXPECT_THAT(first.commands(), SizeIs(2));
  EXPECT_GE(first.missed(), 6);
  EXPECT_EQ(first.mark().position(), first.events(1).position());
  const auto rest = Since(first.mark());
  EXPECT_THAT(rest.events(), SizeIs(3));
  EXPECT_THAT(rest.commands(), SizeIs(3));
  EXPECT_EQ(Http(emulator_.admin_address(), "POST", "/v1/testing/since", R"({"mark": {"commands": "-1"}})").status,
            400);
}

}  // namespace
}  // namespace cloudstate
