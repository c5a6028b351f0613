#pragma once

namespace cloudstate::bench {

// Serves any unary gRPC method by sending back its request, on a free loopback port that it prints, until it is killed.
// Returns only if it cannot.
int ServeEcho();

}  // namespace cloudstate::bench
