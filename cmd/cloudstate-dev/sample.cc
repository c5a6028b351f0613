#include <cstdint>
#include <memory>
#include <string>

#include "cmd/cloudstate-dev/command_line.h"
#include "samples/cpp/shopping_cart.h"

namespace cloudstate::cli {

void AddSample(CLI::App& root, Invocation& invocation) {
  CLI::App* sample = Command(root, "sample", "Run a built-in user function by itself, without an emulator",
                             "  cloudstate-dev sample shopping-cart --port 8080\n"
                             "  cloudstate-dev run --user-function 127.0.0.1:8080       in another terminal");
  sample->group(kRunGroup);
  sample->require_subcommand(1);
  CLI::App* cart = Command(*sample, "shopping-cart", "Carts of event-sourced items, one for each user",
                           "  cloudstate-dev sample shopping-cart");
  auto options = std::make_shared<samples::SampleOptions>();
  Setting(*cart, "--host", "HOST", options->host, "The address to listen on")->type_name("HOST");
  Setting(*cart, "--port", "PORT", options->port, "The port to listen on")->type_name("PORT");
  cart->callback(
      [&invocation, options] { invocation.action = [options] { return samples::RunShoppingCart(*options); }; });
}

}  // namespace cloudstate::cli
