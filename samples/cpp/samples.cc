#include "samples/cpp/samples.h"

#include "absl/strings/str_cat.h"
#include "samples/cpp/chat.h"
#include "samples/cpp/checkout.h"
#include "samples/cpp/counters.h"
#include "samples/cpp/presence.h"
#include "samples/cpp/shopping_cart.h"
#include "samples/cpp/user_function_server.h"
#include "samples/cpp/value_shopping_cart.h"

namespace cloudstate::samples {

const std::vector<Sample>& Samples() {
  static const std::vector<Sample> samples = {
      {"shopping-cart", "Carts of event-sourced items, one for each user", ShoppingCart, true},
      {"value-shopping-cart", "The same carts, each stored as one value", ValueShoppingCart, true},
      {"checkout", "An action with calls of every shape, in front of event-sourced carts", Checkout},
      {"presence", "Who is online, as a CRDT: votes of the nodes that a user is connected to", Presence},
      {"chat", "Rooms to chat in, as CRDTs: maps of who is there and what was said", Chat},
      {"counters", "Counters that every node counts by itself, as CRDTs", Counters}};
  return samples;
}

std::vector<std::string> SampleNames() {
  std::vector<std::string> names;
  for (const Sample& sample : Samples()) names.push_back(sample.name);
  return names;
}

int RunSample(const Sample& sample, const SampleOptions& options) {
  return ServeUntilSignal(sample.name, [&] {
    return UserFunctionServer::Start(absl::StrCat(options.host, ":", options.port), sample.user_function(),
                                     options.work);
  });
}

}  // namespace cloudstate::samples
