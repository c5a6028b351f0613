#include "tests/bench/cart_calls.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "shoppingcart/shoppingcart.pb.h"

namespace cloudstate::bench {
namespace {

constexpr char kService[] = "com.example.shoppingcart.ShoppingCart";
constexpr char kProduct[] = "coffee";
constexpr char kProductName[] = "A pound of coffee";

std::string Name(CartMethod method) { return method == CartMethod::kAddItem ? "AddItem" : "GetCart"; }

std::string TypeUrl(CartMethod method) {
  return absl::StrCat("type.googleapis.com/com.example.shoppingcart.",
                      method == CartMethod::kAddItem ? "AddLineItem" : "GetShoppingCart");
}

std::string UserId(std::size_t entity) { return absl::StrCat("user-", entity); }

HttpRequest CartHttpRequest(CartMethod method, std::size_t entity) {
  if (method == CartMethod::kGetCart) return {"GET", absl::StrCat("/carts/", UserId(entity)), ""};
  return {"POST", absl::StrCat("/cart/", UserId(entity), "/items/add"),
          absl::StrCat(R"({"productId":")", kProduct, R"(","name":")", kProductName, R"(","quantity":1})")};
}

EntityCommand CartCommand(CartMethod method) {
  return {Name(method), TypeUrl(method), [method](std::size_t entity) { return CartMessage(method, entity); }};
}

}  // namespace

std::string CartMessage(CartMethod method, std::size_t entity) {
  if (method == CartMethod::kAddItem) {
    com::example::shoppingcart::AddLineItem message;
    message.set_user_id(UserId(entity));
    message.set_product_id(kProduct);
    message.set_name(kProductName);
    message.set_quantity(1);
    return message.SerializeAsString();
  }
  com::example::shoppingcart::GetShoppingCart message;
  message.set_user_id(UserId(entity));
  return message.SerializeAsString();
}

std::unique_ptr<Calls> CartCalls(const std::string& address, CartMethod method) {
  return UnaryCalls(address, absl::StrCat("/", kService, "/", Name(method)),
                    [method](std::size_t entity) { return CartMessage(method, entity); });
}

std::unique_ptr<Calls> CartHttpCalls(const std::string& address, std::size_t lanes, CartMethod method) {
  return HttpCalls(address, lanes, [method](std::size_t entity) { return CartHttpRequest(method, entity); });
}

absl::StatusOr<std::unique_ptr<Calls>> CartStreams(const std::string& address, std::size_t entities) {
  std::unique_ptr<EntityStreamCalls> streams = OpenEntityStreams(address, kService, entities, UserId);
  streams->Send(CartCommand(CartMethod::kAddItem));
  if (absl::Status filled = CallEachOnce(*streams, 1, entities); !filled.ok()) return filled;
  streams->Send(CartCommand(CartMethod::kGetCart));
  return streams;
}

}  // namespace cloudstate::bench
