// The cart beside an emulator of its own: cloudstate-dev exec --sample shopping-cart -- ./your_test

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "cloudstate/dev/v1/dev.grpc.pb.h"
#include "cloudstate/dev/v1/testing.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "shoppingcart/shoppingcart.grpc.pb.h"

namespace cloudstate {
namespace {

using com::example::shoppingcart::AddLineItem;
using com::example::shoppingcart::Cart;
using com::example::shoppingcart::GetShoppingCart;
using com::example::shoppingcart::RemoveLineItem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ShoppingCartSample : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* address = std::getenv("CLOUDSTATE_DEV_ADDRESS");
    const char* admin = std::getenv("CLOUDSTATE_DEV_ADMIN");
    if (address == nullptr || admin == nullptr) GTEST_SKIP() << "runs below `cloudstate-dev exec`";
    cart_ = com::example::shoppingcart::ShoppingCart::NewStub(ChannelTo(address));
    emulator_ = dev::v1::Emulator::NewStub(ChannelTo(admin));
    // Nothing of the test before is left.
    grpc::ClientContext context;
    dev::v1::ResetResponse response;
    const auto testing = dev::v1::Testing::NewStub(ChannelTo(admin));
    const grpc::Status status = testing->Reset(&context, dev::v1::ResetRequest(), &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }

  grpc::Status Add(const std::string& product, int quantity) {
    AddLineItem request;
    request.set_user_id("anna");
    request.set_product_id(product);
    request.set_name(product);
    request.set_quantity(quantity);
    grpc::ClientContext context;
    google::protobuf::Empty response;
    return cart_->AddItem(&context, request, &response);
  }

  grpc::Status Remove(const std::string& product) {
    RemoveLineItem request;
    request.set_user_id("anna");
    request.set_product_id(product);
    grpc::ClientContext context;
    google::protobuf::Empty response;
    return cart_->RemoveItem(&context, request, &response);
  }

  Cart Get() {
    GetShoppingCart request;
    request.set_user_id("anna");
    grpc::ClientContext context;
    Cart cart;
    const grpc::Status status = cart_->GetCart(&context, request, &cart);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return cart;
  }

  // As JSON; none where nothing was ever stored.
  std::vector<std::string> StoredEvents() {
    dev::v1::ListEventsRequest request;
    request.set_persistence_id("shopping-cart");
    request.set_entity_id("anna");
    grpc::ClientContext context;
    dev::v1::ListEventsResponse response;
    const grpc::Status status = emulator_->ListEvents(&context, request, &response);
    EXPECT_TRUE(status.ok() || status.error_code() == grpc::StatusCode::NOT_FOUND) << status.error_message();
    std::vector<std::string> events;
    for (const dev::v1::Event& event : response.events()) events.push_back(event.payload().json());
    return events;
  }

 private:
  static std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address) {
    return grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  }

  std::unique_ptr<com::example::shoppingcart::ShoppingCart::Stub> cart_;
  std::unique_ptr<dev::v1::Emulator::Stub> emulator_;
};

TEST_F(ShoppingCartSample, AddsUpTheQuantitiesOfAProduct) {
  EXPECT_TRUE(Add("pear", 2).ok());
  EXPECT_TRUE(Add("pear", 3).ok());
  const Cart cart = Get();
  ASSERT_EQ(cart.items_size(), 1);
  EXPECT_EQ(cart.items(0).product_id(), "pear");
  EXPECT_EQ(cart.items(0).quantity(), 5);
}

TEST_F(ShoppingCartSample, StoresWhatWasAddedAndRemovedAsEvents) {
  EXPECT_TRUE(Add("pear", 2).ok());
  EXPECT_TRUE(Remove("pear").ok());
  EXPECT_THAT(StoredEvents(),
              ElementsAre(R"({"item":{"productId":"pear","name":"pear","quantity":2}})", R"({"productId":"pear"})"));
}

TEST_F(ShoppingCartSample, RefusesAQuantityBelowOneAndStoresNothing) {
  const grpc::Status refused = Add("pear", 0);
  EXPECT_FALSE(refused.ok());
  EXPECT_THAT(refused.error_message(), HasSubstr("the quantity must be positive"));
  EXPECT_THAT(StoredEvents(), IsEmpty());
}

}  // namespace
}  // namespace cloudstate
