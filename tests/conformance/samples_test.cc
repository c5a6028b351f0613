// The C++ samples over real channels, without the emulator: what a proxy sees of them.

#include "samples/cpp/samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "checkout/checkout.pb.h"
#include "cloudstate/tck/model/action.pb.h"
#include "cloudstate/tck/model/valueentity.pb.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/text_format.h"
#include "samples/cpp/checkout.h"
#include "samples/cpp/tck_model.h"
#include "samples/cpp/value_shopping_cart.h"
#include "tests/conformance/samples_client.h"
#include "valueentity/shoppingcart/shoppingcart.pb.h"

namespace cloudstate {
namespace {

using action::ActionCommand;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ProxyPart;
using valueentity::ValueEntityStreamIn;
namespace value_model = tck::model::valueentity;
namespace action_model = tck::model::action;

constexpr char kValueModel[] = "cloudstate.tck.model.valueentity.ValueEntityTckModel";
constexpr char kActionModel[] = "cloudstate.tck.model.action.ActionTckModel";
constexpr char kOk[] = "status 0";

std::unique_ptr<samples::UserFunctionServer> Start(samples::UserFunction user_function) {
  auto server = samples::UserFunctionServer::Start("127.0.0.1:0", std::move(user_function));
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

ValueEntityStreamIn Init(const std::string& service, const std::string& value = "") {
  ValueEntityStreamIn in;
  in.mutable_init()->set_service_name(service);
  in.mutable_init()->set_entity_id("id");
  value_model::Persisted persisted;
  persisted.set_value(value);
  auto& state = *in.mutable_init()->mutable_state();
  if (!value.empty()) state.mutable_value()->PackFrom(persisted);
  return in;
}

ValueEntityStreamIn Command(std::int64_t id, const std::string& name, const google::protobuf::Message& payload) {
  ValueEntityStreamIn in;
  in.mutable_command()->set_entity_id("id");
  in.mutable_command()->set_id(id);
  in.mutable_command()->set_name(name);
  in.mutable_command()->mutable_payload()->PackFrom(payload);
  return in;
}

// The model's request in protobuf's text form.
ValueEntityStreamIn Process(std::int64_t id, const std::string& request) {
  value_model::Request parsed;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(request, &parsed)) << request;
  return Command(id, "Process", parsed);
}

ActionCommand Opening(const std::string& service, const std::string& name) {
  ActionCommand command;
  command.set_service_name(service);
  command.set_name(name);
  return command;
}

ActionCommand Request(const google::protobuf::Message& payload) {
  ActionCommand command;
  command.mutable_payload()->PackFrom(payload);
  return command;
}

ActionCommand Complete(const std::string& service, const std::string& name, const google::protobuf::Message& payload) {
  ActionCommand command = Opening(service, name);
  command.mutable_payload()->PackFrom(payload);
  return command;
}

// The model's groups of steps in protobuf's text form.
action_model::Request Groups(const std::string& request) {
  action_model::Request parsed;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(request, &parsed)) << request;
  return parsed;
}

auto Replies(const std::string& message) {
  return AllOf(HasSubstr("reply {"), HasSubstr("Response] { message: \"" + message + "\" }"));
}

TEST(Samples, TheModelDeclaresItsServicesWithTheirKinds) {
  const auto server = Start(samples::TckModel());
  const EntitySpec spec = ProxyPart(*server).Discover();
  std::vector<std::string> declared;
  for (const Entity& entity : spec.entities()) declared.push_back(ProxyPart::Text(entity));
  EXPECT_THAT(
      declared,
      ::testing::IsSupersetOf(
          {R"(entity_type: "cloudstate.valueentity.ValueEntity" service_name: )"
           R"("cloudstate.tck.model.valueentity.ValueEntityTckModel" persistence_id: "value-entity-tck-model")",
           R"(entity_type: "cloudstate.valueentity.ValueEntity" service_name: )"
           R"("cloudstate.tck.model.valueentity.ValueEntityConfigured" persistence_id: "value-entity-configured" )"
           R"(passivation_strategy { timeout { timeout: 100 } })",
           R"(entity_type: "cloudstate.action.ActionProtocol" service_name: )"
           R"("cloudstate.tck.model.action.ActionTckModel")",
           R"(entity_type: "cloudstate.action.ActionProtocol" service_name: "cloudstate.tck.model.action.ActionTwo")"}));
  EXPECT_EQ(spec.service_info().protocol_major_version(), 0);
  EXPECT_EQ(spec.service_info().protocol_minor_version(), 2);
}

TEST(Samples, EachSamplesDescriptorsHaveTheServicesThatItDeclares) {
  for (const samples::Sample& sample : samples::Samples()) {
    const auto server = Start(sample.user_function());
    const EntitySpec spec = ProxyPart(*server).Discover();
    google::protobuf::FileDescriptorSet files;
    ASSERT_TRUE(files.ParseFromString(spec.proto()));
    std::vector<std::string> described;
    for (const auto& file : files.file()) {
      for (const auto& service : file.service()) described.push_back(file.package() + "." + service.name());
    }
    EXPECT_EQ(spec.service_info().service_name(), sample.name);
    EXPECT_GE(spec.entities_size(), 1);
    for (const Entity& entity : spec.entities()) {
      EXPECT_THAT(described, ::testing::Contains(entity.service_name()));
    }
  }
}

TEST(Samples, AValueIsUpdatedAndDeletedAlongAStream) {
  const auto server = Start(samples::TckModel());
  const auto seen = ProxyPart(*server).Drive(
      {Init(kValueModel), Process(1, "actions { update { value: 'one' } }"), Process(2, ""),
       Process(3, "actions { update { value: 'two' } } actions { delete {} } actions { update { value: 'three' } }"),
       Process(4, "actions { delete {} }"), Process(5, "")});
  EXPECT_THAT(seen, ElementsAre(AllOf(Replies("one"), HasSubstr("update { value { [type.googleapis.com/")),
                                AllOf(Replies("one"), Not(HasSubstr("state_action"))),
                                AllOf(Replies("three"), HasSubstr("Persisted] { value: \"three\" }")),
                                AllOf(Not(HasSubstr("message:")), HasSubstr("state_action { delete { } }")),
                                AllOf(Not(HasSubstr("message:")), Not(HasSubstr("state_action"))), kOk));
}

TEST(Samples, AValueEntityStartsFromTheValueInInit) {
  const auto server = Start(samples::TckModel());
  EXPECT_THAT(ProxyPart(*server).Drive({Init(kValueModel, "stored"), Process(1, "")}),
              ElementsAre(Replies("stored"), kOk));
}

TEST(Samples, AFailedCommandLeavesAValueAsItWas) {
  const auto server = Start(samples::TckModel());
  const auto seen = ProxyPart(*server).Drive(
      {Init(kValueModel, "old"),
       Process(1,
               "actions { update { value: 'new' } } actions { effect { id: 'e' } } actions { fail { message: 'no' } }"),
       Process(2, "")});
  EXPECT_THAT(seen,
              ElementsAre(R"(reply { command_id: 1 client_action { failure { command_id: 1 description: "no" } } })",
                          Replies("old"), kOk));
}

TEST(Samples, AValueEntityForwardsWithItsEffects) {
  const auto server = Start(samples::TckModel());
  const auto seen = ProxyPart(*server).Drive(
      {Init(kValueModel), Process(1,
                                  "actions { effect { id: 'a' synchronous: true } } actions { effect { id: 'b' } } "
                                  "actions { forward { id: 'f' } }")});
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_THAT(seen[0], AllOf(HasSubstr("forward {"), HasSubstr("id: \"f\""), Not(HasSubstr("reply { payload"))));
  EXPECT_THAT(seen[0], ::testing::ContainsRegex("side_effects .*id: \"a\" .*synchronous: true.*side_effects .*\"b\""));
}

TEST(Samples, AValueStreamForAnUnknownServiceFails) {
  const auto server = Start(samples::TckModel());
  EXPECT_THAT(ProxyPart(*server).Drive(std::vector{Init("other.Service")}),
              ElementsAre(R"(failure { description: "No value entity here serves \'other.Service\'." })", kOk));
}

TEST(Samples, ALastReplyOfAUnaryActionCounts) {
  const auto server = Start(samples::TckModel());
  const ProxyPart proxy(*server);
  const auto call = [&](const std::string& groups) {
    return proxy.Unary(Complete(kActionModel, "ProcessUnary", Groups(groups)));
  };
  EXPECT_THAT(call("groups { steps { forward { id: 'f' } } } groups { steps { reply { message: 'r' } } }"),
              ElementsAre(Replies("r"), kOk));
  EXPECT_THAT(call("groups { steps { reply { message: 'r' } } steps { forward { id: 'f' } } }"),
              ElementsAre(AllOf(HasSubstr("forward {"), Not(HasSubstr("reply {"))), kOk));
  EXPECT_THAT(call("groups { steps { effect { id: 'e' } } }"),
              ElementsAre(AllOf(HasSubstr("side_effects {"), Not(HasSubstr("reply {"))), kOk));
  EXPECT_THAT(call("groups { steps { effect { id: 'e' } } steps { fail { message: 'no' } } steps { reply {} } }"),
              ElementsAre(R"(failure { description: "no" })", kOk));
}

TEST(Samples, AnActionsStreamedRequestsAreAnsweredAsOne) {
  const auto server = Start(samples::TckModel());
  const auto seen = ProxyPart(*server).StreamedIn({Opening(kActionModel, "ProcessStreamedIn"),
                                                   Request(Groups("groups { steps { effect { id: 'a' } } }")),
                                                   Request(Groups("groups { steps { reply { message: 'x' } } }")),
                                                   Request(Groups("groups { steps { reply { message: 'y' } } }"))});
  EXPECT_THAT(seen, ElementsAre(AllOf(Replies("y"), HasSubstr("side_effects {")), kOk));
}

TEST(Samples, AnActionAnswersEachGroupOfAStream) {
  const auto server = Start(samples::TckModel());
  const ProxyPart proxy(*server);
  const auto groups = Groups(
      "groups { steps { reply { message: '1' } } } groups { steps { effect { id: 'e' } } } "
      "groups { steps { fail { message: 'no' } } }");
  const auto third = R"(failure { description: "no" })";
  EXPECT_THAT(proxy.StreamedOut(Complete(kActionModel, "ProcessStreamedOut", groups)),
              ElementsAre(Replies("1"), HasSubstr("side_effects {"), third, kOk));
  EXPECT_THAT(proxy.Streamed({Opening(kActionModel, "ProcessStreamed"), Request(groups),
                              Request(Groups("groups { steps { reply { message: '4' } } }"))}),
              ElementsAre(Replies("1"), HasSubstr("side_effects {"), third, Replies("4"), kOk));
}

TEST(Samples, ACallThatNoActionServesFails) {
  const auto server = Start(samples::TckModel());
  const ProxyPart proxy(*server);
  EXPECT_THAT(proxy.Unary(Complete("other.Service", "Call", Groups(""))),
              ElementsAre(R"(failure { description: "No action here serves other.Service.Call." })", kOk));
  const auto in_another_way = HasSubstr("is streamed in another way than it is called.");
  EXPECT_THAT(proxy.Unary(Complete(kActionModel, "ProcessStreamed", Groups(""))), ElementsAre(in_another_way, kOk));
  EXPECT_THAT(proxy.StreamedIn({Opening(kActionModel, "ProcessUnary")}), ElementsAre(in_another_way, kOk));
  EXPECT_THAT(proxy.StreamedOut(Opening(kActionModel, "ProcessUnary")), ElementsAre(in_another_way, kOk));
  EXPECT_THAT(proxy.Streamed({Opening(kActionModel, "ProcessUnary")}), ElementsAre(in_another_way, kOk));
}

TEST(Samples, AValueCartKeepsItsItemsInOrder) {
  const auto server = Start(samples::ValueShoppingCart());
  namespace cart = com::example::valueentity::shoppingcart;
  const auto add = [](std::int64_t id, const std::string& product, int quantity) {
    cart::AddLineItem item;
    item.set_product_id(product);
    item.set_quantity(quantity);
    return Command(id, "AddItem", item);
  };
  cart::RemoveLineItem remove;
  remove.set_product_id("b");
  const auto seen = ProxyPart(*server).Drive(
      {Init("com.example.valueentity.shoppingcart.ShoppingCart"), add(1, "c", 1), add(2, "a", 2), add(3, "b", 3),
       add(4, "a", 4), add(5, "a", 0), Command(6, "RemoveItem", remove), Command(7, "RemoveItem", remove),
       Command(8, "GetCart", cart::GetShoppingCart()), Command(9, "RemoveCart", cart::RemoveShoppingCart()),
       Command(10, "GetCart", cart::GetShoppingCart())});
  ASSERT_EQ(seen.size(), 11U);
  EXPECT_THAT(seen[4], HasSubstr("Cannot add 0 of a: the quantity must be positive."));
  EXPECT_THAT(seen[6], HasSubstr("Cannot remove b: it is not in the cart."));
  EXPECT_THAT(seen[7],
              HasSubstr(R"(Cart] { items { product_id: "a" quantity: 6 } items { product_id: "c" quantity: 1 } })"));
  EXPECT_THAT(seen[8], HasSubstr("state_action { delete { } }"));
  EXPECT_THAT(seen[9], Not(HasSubstr("items")));
}

class CheckoutSample : public ::testing::Test {
 protected:
  static constexpr char kCheckout[] = "com.example.checkout.Checkout";

  static com::example::checkout::Line Line(const std::string& product, int quantity) {
    com::example::checkout::Line line;
    line.set_product_id(product);
    line.set_quantity(quantity);
    return line;
  }

  static auto Costs(int cents) { return HasSubstr(absl::StrCat("Price] { cents: ", cents, " }")); }

  const std::unique_ptr<samples::UserFunctionServer> server_ = Start(samples::Checkout());
  const ProxyPart proxy_{*server_};
};

TEST_F(CheckoutSample, BuyingForwardsToTheCartAndCountsWhatIsSold) {
  com::example::checkout::Purchase purchase;
  purchase.set_user_id("me");
  purchase.set_product_id("bread");
  purchase.set_quantity(2);
  const auto line = [](const std::string& user) {
    return absl::StrCat(R"(service_name: "com.example.shoppingcart.ShoppingCart" command_name: "AddItem" payload { )",
                        R"([type.googleapis.com/com.example.shoppingcart.AddLineItem] { user_id: ")", user,
                        R"(" product_id: "bread" name: "Loaf of bread" quantity: 2 } })");
  };
  EXPECT_THAT(proxy_.Unary(Complete(kCheckout, "Buy", purchase)),
              ElementsAre("forward { " + line("me") + " } side_effects { " + line("sold") + " }", kOk));
}

TEST_F(CheckoutSample, PricesComeInAllShapes) {
  EXPECT_THAT(proxy_.Unary(Complete(kCheckout, "Quote", Line("apple", 3))), ElementsAre(Costs(90), kOk));
  EXPECT_THAT(proxy_.StreamedIn({Opening(kCheckout, "Total"), Request(Line("apple", 0)), Request(Line("coffee", 1))}),
              ElementsAre(Costs(650), kOk));
  EXPECT_THAT(proxy_.Streamed({Opening(kCheckout, "Scan"), Request(Line("apple", 1)), Request(Line("bread", 1))}),
              ElementsAre(Costs(30), Costs(280), kOk));
  com::example::checkout::Instalments instalments;
  instalments.set_product_id("bread");
  instalments.set_count(3);
  EXPECT_THAT(proxy_.StreamedOut(Complete(kCheckout, "PayByInstalments", instalments)),
              ElementsAre(Costs(84), Costs(83), Costs(83), kOk));
}

TEST_F(CheckoutSample, AProductThatIsNotSoldFailsTheCall) {
  const auto failure = HasSubstr("There is no product \\'tea\\'. There are apple, bread and coffee.");
  EXPECT_THAT(proxy_.Unary(Complete(kCheckout, "Quote", Line("tea", 1))), ElementsAre(failure, kOk));
  EXPECT_THAT(proxy_.Streamed({Opening(kCheckout, "Scan"), Request(Line("tea", 1)), Request(Line("apple", 1))}),
              ElementsAre(failure, ::testing::_));
}

}  // namespace
}  // namespace cloudstate
