#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cloudstate/action.pb.h"
#include "tests/unit/router_fixture.h"

namespace cloudstate::routing {

// Calls of an action, which any node may take, at a cluster of some nodes.
class GatewayFixture : public RouterFixture {
 protected:
  explicit GatewayFixture(std::size_t nodes) : RouterFixture(testing::ServicesWithAnAction(), nodes) {}

  // As the emulator ends: what waits for a node that is paused is forgotten.
  ~GatewayFixture() override {
    router_.EndHeldCalls(absl::UnavailableError("the test is over"));
    cluster_.Stop();
  }

  using RouterFixture::node;
  cluster::Node& node(std::uint32_t number) { return *cluster_.Find(cluster::NodeId{number}); }
  std::int64_t Requests(std::uint32_t number) { return node(number).load().requests.open(); }
  std::vector<std::int64_t> RequestsOfAll() {
    std::vector<std::int64_t> requests;
    for (const auto& [id, each] : cluster_.nodes()) requests.push_back(each->load().requests.open());
    return requests;
  }

  // From now on calls are held, `most` at one time; `told_` is how many, each time that this changes.
  void HoldCalls(std::size_t most = 100) {
    router_.HoldCalls({.most = most, .changed = [this](std::int64_t held) { told_.push_back(held); }});
  }

  void Suspend() { router_.Suspend(absl::UnavailableError("the user function was lost")); }
  void Suspend(std::uint32_t number) {
    router_.Suspend(cluster::NodeId{number}, absl::UnavailableError("its user function was lost"));
    strand_.Run();
  }
  // The user function is there again.
  void ServeAgain() {
    Serve(testing::ServicesWithAnAction());
    strand_.Run();
  }

  std::shared_ptr<FakeClient> Call(const std::string& id = "a", std::optional<absl::Time> deadline = std::nullopt) {
    return Start("test.Act", "Unary", testing::Request(id), deadline);
  }
  // It has not got to the strand yet.
  std::shared_ptr<FakeClient> CallSoon(const std::string& id = "a") {
    return StartSoon("test.Act", "Unary", testing::Request(id), std::nullopt);
  }
  std::shared_ptr<FakeClient> CallAt(const std::string& node) {
    auto client = StartSoon("test.Act", "Unary", testing::Request("a"), std::nullopt, node);
    strand_.Run();
    return client;
  }

  // The user function answers the call that was the n-th to reach it, from 0.
  void Answer(std::size_t stream) {
    action::ActionResponse response;
    response.mutable_reply()->mutable_payload()->set_type_url("type.googleapis.com/test.Response");
    Say(stream, response);
    End(stream);
  }
  // The requests that have reached the user function, in order, by their ids.
  std::vector<std::string> Reached() {
    std::vector<std::string> ids;
    for (const auto& stream : connection_->streams) {
      action::ActionCommand command;
      EXPECT_TRUE(command.ParseFromString(stream->written.front()));
      ids.push_back(command.payload().value().substr(2));
    }
    return ids;
  }

  void GoAway(FakeClient& client) {
    client.cancelled();
    strand_.Run();
  }

  std::vector<std::int64_t> told_;
};

inline absl::StatusCode CodeOf(const FakeClient& client) {
  EXPECT_TRUE(client.status.has_value()) << "the call goes on";
  return client.status.value_or(absl::OkStatus()).code();
}

inline std::string TextOf(const FakeClient& client) {
  EXPECT_TRUE(client.status.has_value()) << "the call goes on";
  return std::string(client.status.value_or(absl::OkStatus()).message());
}

}  // namespace cloudstate::routing
