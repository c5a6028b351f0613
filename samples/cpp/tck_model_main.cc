// The conformance model as a user function of its own: tck-model-user-function [--fault NAME | --list-faults].

#include <cstdlib>
#include <iostream>
#include <string>

#include "samples/cpp/faults/faulty_model.h"
#include "samples/cpp/tck_model.h"

namespace cloudstate::samples {
namespace {

std::string Environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value ? value : otherwise;
}

std::string Address() { return Environment("HOST", "127.0.0.1") + ":" + Environment("PORT", "8080"); }

int ListFaults() {
  for (const FaultName& fault : TckModelFaults()) std::cout << fault.name << "  " << fault.description << "\n";
  return 0;
}

int Main(int argc, char** argv) {
  const std::string option = argc > 1 ? argv[1] : "";
  if (argc == 1) return ServeUntilSignal("tck-model", [] { return StartTckModel(Address()); });
  if (argc == 2 && option == "--list-faults") return ListFaults();
  if (argc == 3 && option == "--fault") {
    return ServeUntilSignal("tck-model", [&] { return StartFaultyTckModel(Address(), argv[2]); });
  }
  std::cerr << "tck-model-user-function [--fault NAME | --list-faults]; HOST and PORT say where it listens.\n";
  return 2;
}

}  // namespace
}  // namespace cloudstate::samples

int main(int argc, char** argv) { return cloudstate::samples::Main(argc, argv); }
