#include "samples/cpp/value_shopping_cart.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/empty.pb.h"
#include "valueentity/shoppingcart/persistence/domain.pb.h"
#include "valueentity/shoppingcart/shoppingcart.pb.h"

namespace cloudstate::samples {
namespace {

using google::protobuf::Any;
using google::protobuf::Empty;
namespace api = com::example::valueentity::shoppingcart;
namespace domain = com::example::valueentity::shoppingcart::persistence;

// The stored value keeps its items in the order of their product ids.
auto Position(domain::Cart& cart, const std::string& product_id) {
  auto& items = *cart.mutable_items();
  return std::lower_bound(items.begin(), items.end(), product_id,
                          [](const domain::LineItem& item, const std::string& id) { return item.productid() < id; });
}

void AddItem(const api::AddLineItem& command, domain::Cart& cart, ValueEntityContext& context) {
  if (command.quantity() <= 0) {
    return context.Fail(absl::StrCat("Cannot add ", command.quantity(), " of ", command.product_id(),
                                     ": the quantity must be positive."));
  }
  const auto index = static_cast<int>(Position(cart, command.product_id()) - cart.mutable_items()->begin());
  if (index == cart.items_size() || cart.items(index).productid() != command.product_id()) {
    cart.add_items()->set_productid(command.product_id());
    std::rotate(cart.mutable_items()->begin() + index, cart.mutable_items()->end() - 1, cart.mutable_items()->end());
  }
  domain::LineItem& item = *cart.mutable_items(index);
  item.set_name(command.name());
  item.set_quantity(item.quantity() + command.quantity());
  context.Update(cart);
  context.Reply(Empty());
}

void RemoveItem(const api::RemoveLineItem& command, domain::Cart& cart, ValueEntityContext& context) {
  const auto item = Position(cart, command.product_id());
  if (item == cart.mutable_items()->end() || item->productid() != command.product_id()) {
    return context.Fail(absl::StrCat("Cannot remove ", command.product_id(), ": it is not in the cart."));
  }
  cart.mutable_items()->erase(item);
  context.Update(cart);
  context.Reply(Empty());
}

void GetCart(const domain::Cart& cart, ValueEntityContext& context) {
  api::Cart answer;
  for (const domain::LineItem& stored : cart.items()) {
    api::LineItem& item = *answer.add_items();
    item.set_product_id(stored.productid());
    item.set_name(stored.name());
    item.set_quantity(stored.quantity());
  }
  context.Reply(answer);
}

absl::Status OnCommand(const std::string& name, const Any& payload, ValueEntityContext& context) {
  domain::Cart cart;
  if (context.state() && !context.state()->UnpackTo(&cart)) return UnknownType("value", *context.state());
  if (api::AddLineItem add; name == "AddItem" && payload.UnpackTo(&add)) {
    AddItem(add, cart, context);
  } else if (api::RemoveLineItem remove; name == "RemoveItem" && payload.UnpackTo(&remove)) {
    RemoveItem(remove, cart, context);
  } else if (name == "GetCart" && payload.Is<api::GetShoppingCart>()) {
    GetCart(cart, context);
  } else if (name == "RemoveCart" && payload.Is<api::RemoveShoppingCart>()) {
    context.Delete();
    context.Reply(Empty());
  } else {
    return UnknownType(absl::StrCat("command ", name), payload);
  }
  return absl::OkStatus();
}

}  // namespace

UserFunction ValueShoppingCart() {
  return {
      .name = "value-shopping-cart",
      .version = "1.0.0",
      .value_entities = {{
          .service_name = "com.example.valueentity.shoppingcart.ShoppingCart",
          .persistence_id = "value-shopping-cart",
          .files = {api::Cart::descriptor()->file(), domain::Cart::descriptor()->file()},
          .on_command = OnCommand,
      }},
  };
}

}  // namespace cloudstate::samples
