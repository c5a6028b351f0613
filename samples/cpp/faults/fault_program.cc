#include "samples/cpp/faults/fault_program.h"

#include <cstdlib>
#include <iostream>

namespace cloudstate::samples {
namespace {

std::string Environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value ? value : otherwise;
}

std::string Address() { return Environment("HOST", "127.0.0.1") + ":" + Environment("PORT", "8080"); }

int ListFaults(const FaultProgram& program) {
  for (const FaultName& fault : program.faults) std::cout << fault.name << "  " << fault.description << "\n";
  return 0;
}

}  // namespace

int RunFaultProgram(int argc, char** argv, const FaultProgram& program) {
  const std::string option = argc > 1 ? argv[1] : "";
  if (argc == 1) return ServeUntilSignal(program.name, [&] { return program.start(Address()); });
  if (argc == 2 && option == "--list-faults") return ListFaults(program);
  if (argc == 3 && option == "--fault") {
    return ServeUntilSignal(program.name, [&] { return program.start_faulty(Address(), argv[2]); });
  }
  std::cerr << argv[0] << " [--fault NAME | --list-faults]; HOST and PORT say where it listens.\n";
  return 2;
}

}  // namespace cloudstate::samples
