#include "samples/cpp/shopping_cart.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/empty.pb.h"
#include "shoppingcart/persistence/domain.pb.h"
#include "shoppingcart/shoppingcart.pb.h"

namespace cloudstate::samples {
namespace {

using google::protobuf::Any;
namespace api = com::example::shoppingcart;
namespace domain = com::example::shoppingcart::persistence;

class CartEntity final : public EventSourcedEntity {
 public:
  absl::Status OnSnapshot(const Any& snapshot) override {
    domain::Cart cart;
    if (!snapshot.UnpackTo(&cart)) return UnknownType("snapshot", snapshot);
    items_.clear();
    for (domain::LineItem& item : *cart.mutable_items()) {
      std::string product_id = item.productid();
      items_[std::move(product_id)] = std::move(item);
    }
    return absl::OkStatus();
  }

  absl::Status OnEvent(const Any& event) override {
    if (domain::ItemAdded added; event.UnpackTo(&added)) {
      domain::LineItem& item = items_[added.item().productid()];
      const std::int32_t quantity = item.quantity() + added.item().quantity();
      item = std::move(*added.mutable_item());
      item.set_quantity(quantity);
      return absl::OkStatus();
    }
    if (domain::ItemRemoved removed; event.UnpackTo(&removed)) {
      items_.erase(removed.productid());
      return absl::OkStatus();
    }
    return UnknownType("event", event);
  }

  absl::Status OnCommand(const std::string& name, const Any& payload, EventSourcedContext& context) override {
    if (name == "GetCart" && payload.Is<api::GetShoppingCart>()) {
      GetCart(context);
      return absl::OkStatus();
    }
    if (api::AddLineItem add; name == "AddItem" && payload.UnpackTo(&add)) {
      AddItem(add, context);
      return absl::OkStatus();
    }
    if (api::RemoveLineItem remove; name == "RemoveItem" && payload.UnpackTo(&remove)) {
      RemoveItem(remove, context);
      return absl::OkStatus();
    }
    return UnknownType(absl::StrCat("command ", name), payload);
  }

  void WriteSnapshot(Any& snapshot) const override {
    domain::Cart cart;
    for (const auto& [product_id, item] : items_) *cart.add_items() = item;
    snapshot.PackFrom(cart);
  }

 private:
  static void AddItem(const api::AddLineItem& command, EventSourcedContext& context) {
    if (command.quantity() <= 0) {
      return context.Fail(absl::StrCat("Cannot add ", command.quantity(), " of ", command.product_id(),
                                       ": the quantity must be positive."));
    }
    domain::ItemAdded added;
    added.mutable_item()->set_productid(command.product_id());
    added.mutable_item()->set_name(command.name());
    added.mutable_item()->set_quantity(command.quantity());
    context.Emit(added);
    context.Reply(google::protobuf::Empty());
  }

  void RemoveItem(const api::RemoveLineItem& command, EventSourcedContext& context) const {
    if (!items_.contains(command.product_id())) {
      return context.Fail(absl::StrCat("Cannot remove ", command.product_id(), ": it is not in the cart."));
    }
    domain::ItemRemoved removed;
    removed.set_productid(command.product_id());
    context.Emit(removed);
    context.Reply(google::protobuf::Empty());
  }

  void GetCart(EventSourcedContext& context) const {
    api::Cart cart;
    for (const auto& [product_id, stored] : items_) {
      api::LineItem& item = *cart.add_items();
      item.set_product_id(product_id);
      item.set_name(stored.name());
      item.set_quantity(stored.quantity());
    }
    context.Reply(cart);
  }

  std::map<std::string, domain::LineItem> items_;  // by product id
};

}  // namespace

EventSourcedService ShoppingCartService() {
  return {
      .service_name = "com.example.shoppingcart.ShoppingCart",
      .persistence_id = "shopping-cart",
      .snapshot_every = 100,
      .files = {api::Cart::descriptor()->file(), domain::Cart::descriptor()->file()},
      .create = [] { return std::make_unique<CartEntity>(); },
  };
}

UserFunction ShoppingCart() {
  return {.name = "shopping-cart", .version = "1.0.0", .event_sourced = {ShoppingCartService()}};
}

absl::StatusOr<std::unique_ptr<UserFunctionServer>> StartShoppingCart(const std::string& address) {
  return UserFunctionServer::Start(address, ShoppingCart());
}

}  // namespace cloudstate::samples
