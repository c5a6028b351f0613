#include <cstdlib>
#include <string>

#include "samples/cpp/tck_model.h"

namespace {

std::string Environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value ? value : otherwise;
}

}  // namespace

int main() {
  const std::string address = Environment("HOST", "127.0.0.1") + ":" + Environment("PORT", "8080");
  return cloudstate::samples::ServeUntilSignal(address, cloudstate::samples::TckModel());
}
