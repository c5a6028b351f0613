// Message to JSON: ours beside both of protobuf's, on a cart of ten items, as an HTTP read answers it.

#include <memory>
#include <string>

#include "benchmark/benchmark.h"
#include "emulator/userfunction/message_json.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/type_resolver_util.h"
#include "shoppingcart/shoppingcart.pb.h"

namespace {

namespace util = google::protobuf::util;
using com::example::shoppingcart::Cart;

std::string SerializedCart() {
  Cart cart;
  for (int i = 0; i < 10; ++i) {
    auto& item = *cart.add_items();
    item.set_product_id("product-" + std::to_string(i));
    item.set_name("A product");
    item.set_quantity(i);
  }
  return cart.SerializeAsString();
}

util::JsonPrintOptions WithDefaults() {
  util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  return options;
}

void Ours(benchmark::State& state) {
  const std::string bytes = SerializedCart();
  google::protobuf::DynamicMessageFactory factory;
  const auto* prototype = factory.GetPrototype(Cart::descriptor());
  for (auto _ : state) {
    const std::unique_ptr<google::protobuf::Message> message(prototype->New());
    if (!message->ParseFromString(bytes)) state.SkipWithError("the cart does not parse");
    benchmark::DoNotOptimize(cloudstate::userfunction::MessageJson(factory).Write(*message));
  }
}
BENCHMARK(Ours);

void ProtobufFromMessage(benchmark::State& state) {
  const std::string bytes = SerializedCart();
  google::protobuf::DynamicMessageFactory factory;
  const auto* prototype = factory.GetPrototype(Cart::descriptor());
  for (auto _ : state) {
    const std::unique_ptr<google::protobuf::Message> message(prototype->New());
    std::string json;
    if (!message->ParseFromString(bytes) || !util::MessageToJsonString(*message, &json, WithDefaults()).ok()) {
      state.SkipWithError("the cart cannot be written");
    }
    benchmark::DoNotOptimize(json);
  }
}
BENCHMARK(ProtobufFromMessage);

void ProtobufFromBytes(benchmark::State& state) {
  const std::string bytes = SerializedCart();
  const std::unique_ptr<util::TypeResolver> resolver(
      util::NewTypeResolverForDescriptorPool("type.googleapis.com", Cart::descriptor()->file()->pool()));
  const std::string type = "type.googleapis.com/" + Cart::descriptor()->full_name();
  for (auto _ : state) {
    std::string json;
    if (!util::BinaryToJsonString(resolver.get(), type, bytes, &json, WithDefaults()).ok()) {
      state.SkipWithError("the cart cannot be written");
    }
    benchmark::DoNotOptimize(json);
  }
}
BENCHMARK(ProtobufFromBytes);

}  // namespace
