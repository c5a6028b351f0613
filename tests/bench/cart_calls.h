#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tests/bench/grpc_calls.h"
#include "tests/bench/http_calls.h"

// The calls that the benchmarks make to the shopping cart. `address` is the emulator's client port, if not said
// otherwise.
namespace cloudstate::bench {

enum class CartMethod { kAddItem, kGetCart };

// Adds to the quantity of one product, so that carts stay as large as they are.
std::string CartMessage(CartMethod method, std::size_t entity);

std::unique_ptr<Calls> CartCalls(const std::string& address, CartMethod method);
std::unique_ptr<Calls> CartHttpCalls(const std::string& address, std::size_t lanes, CartMethod method);

// GetCart on streams to the user function at `address`, for carts that hold what the emulator's hold.
absl::StatusOr<std::unique_ptr<Calls>> CartStreams(const std::string& address, std::size_t entities);

}  // namespace cloudstate::bench
