// A checkout with its shopping carts that makes a mistake: faulty-cart [--fault NAME | --list-faults].

#include "samples/cpp/checkout.h"
#include "samples/cpp/faults/cart_faults.h"
#include "samples/cpp/faults/fault_program.h"

int main(int argc, char** argv) {
  namespace samples = cloudstate::samples;
  return samples::RunFaultProgram(
      argc, argv,
      {.name = "faulty-cart",
       .faults = samples::CartFaults(),
       .start =
           [](const std::string& address) { return samples::UserFunctionServer::Start(address, samples::Checkout()); },
       .start_faulty = samples::StartFaultyCart});
}
