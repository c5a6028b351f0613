#include "samples/cpp/checkout.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "checkout/checkout.pb.h"
#include "google/protobuf/any.pb.h"
#include "samples/cpp/shopping_cart.h"
#include "shoppingcart/shoppingcart.pb.h"

namespace cloudstate::samples {
namespace {

using google::protobuf::Any;
namespace api = com::example::checkout;
namespace cart = com::example::shoppingcart;

constexpr Method kAddItem = {"com.example.shoppingcart.ShoppingCart", "AddItem"};

struct Product {
  std::string name;
  std::int64_t cents;
};

const std::map<std::string, Product>& Products() {
  static const std::map<std::string, Product> products = {
      {"apple", {"Apple", 30}}, {"bread", {"Loaf of bread", 250}}, {"coffee", {"Coffee", 620}}};
  return products;
}

std::string NoSuchProduct(const std::string& product_id) {
  return absl::StrCat("There is no product '", product_id, "'. There are apple, bread and coffee.");
}

// In cents; null: there is no such product.
std::optional<std::int64_t> PriceOf(const std::string& product_id, std::int32_t quantity) {
  const auto product = Products().find(product_id);
  if (product == Products().end()) return std::nullopt;
  return product->second.cents * (quantity == 0 ? 1 : quantity);
}

void ReplyPrice(std::int64_t cents, ActionContext& context) {
  api::Price price;
  price.set_cents(cents);
  context.Reply(price);
}

absl::Status Quote(const Any& payload, ActionContext& context) {
  api::Line line;
  if (!payload.UnpackTo(&line)) return UnknownType("line", payload);
  const auto cents = PriceOf(line.product_id(), line.quantity());
  if (cents) {
    ReplyPrice(*cents, context);
  } else {
    context.Fail(NoSuchProduct(line.product_id()));
  }
  return absl::OkStatus();
}

absl::Status Buy(const Any& payload, ActionContext& context) {
  api::Purchase purchase;
  if (!payload.UnpackTo(&purchase)) return UnknownType("purchase", payload);
  const auto product = Products().find(purchase.product_id());
  if (product == Products().end()) {
    context.Fail(NoSuchProduct(purchase.product_id()));
    return absl::OkStatus();
  }
  cart::AddLineItem add;
  add.set_user_id(purchase.user_id());
  add.set_product_id(purchase.product_id());
  add.set_name(product->second.name);
  add.set_quantity(purchase.quantity());
  context.Forward(kAddItem, add);
  add.set_user_id("sold");
  context.Effect(kAddItem, add);
  return absl::OkStatus();
}

// What lines cost together. Once a line cannot be paid for, the answer is why.
class Sum {
 public:
  absl::Status Add(const Any& payload) {
    api::Line line;
    if (!payload.UnpackTo(&line)) return UnknownType("line", payload);
    const auto cents = PriceOf(line.product_id(), line.quantity());
    if (!cents) return absl::NotFoundError(NoSuchProduct(line.product_id()));
    cents_ += *cents;
    return absl::OkStatus();
  }

  std::int64_t cents() const { return cents_; }

 private:
  std::int64_t cents_ = 0;
};

class TotalCall final : public ActionStream {
 public:
  absl::Status OnRequest(const Any& payload) override { return sum_.Add(payload); }

  bool Next(ActionContext& context) override {
    ReplyPrice(sum_.cents(), context);
    return true;
  }

 private:
  Sum sum_;
};

class ScanCall final : public ActionStream {
 public:
  absl::Status OnRequest(const Any& payload) override {
    scanned_ = true;
    return sum_.Add(payload);
  }

  bool Next(ActionContext& context) override {
    if (!scanned_) return false;
    scanned_ = false;
    ReplyPrice(sum_.cents(), context);
    return true;
  }

 private:
  Sum sum_;
  bool scanned_ = false;  // and not answered
};

class InstalmentsCall final : public ActionStream {
 public:
  absl::Status OnRequest(const Any& payload) override {
    api::Instalments instalments;
    if (!payload.UnpackTo(&instalments)) return UnknownType("instalments", payload);
    const auto cents = PriceOf(instalments.product_id(), instalments.quantity());
    if (!cents) return absl::NotFoundError(NoSuchProduct(instalments.product_id()));
    cents_left_ = *cents;
    instalments_left_ = instalments.count();
    return absl::OkStatus();
  }

  bool Next(ActionContext& context) override {
    if (instalments_left_ <= 0) return false;
    const std::int64_t part = (cents_left_ + instalments_left_ - 1) / instalments_left_;  // rounded up
    cents_left_ -= part;
    --instalments_left_;
    ReplyPrice(part, context);
    return true;
  }

 private:
  std::int64_t cents_left_ = 0;
  std::int64_t instalments_left_ = 0;
};

template <typename Call>
std::unique_ptr<ActionStream> Open(const Metadata&) {
  return std::make_unique<Call>();
}

ActionService CheckoutService() {
  return {
      .service_name = "com.example.checkout.Checkout",
      .files = {api::Line::descriptor()->file()},
      .methods = {{"Quote", Unary{Quote}},
                  {"Buy", Unary{Buy}},
                  {"Total", StreamedIn{Open<TotalCall>}},
                  {"PayByInstalments", StreamedOut{Open<InstalmentsCall>}},
                  {"Scan", Streamed{Open<ScanCall>}}},
  };
}

}  // namespace

UserFunction Checkout() {
  return {
      .name = "checkout", .version = "1.0.0", .event_sourced = {ShoppingCartService()}, .actions = {CheckoutService()}};
}

}  // namespace cloudstate::samples
