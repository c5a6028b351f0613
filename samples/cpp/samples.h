#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "samples/cpp/user_function.h"
#include "samples/cpp/workers.h"

namespace cloudstate::samples {

// A user function that comes with the program.
struct Sample {
  std::string name;
  std::string description;
  UserFunction (*user_function)();
  bool takes_work = false;  // all its commands are those of entities that are stored
};

const std::vector<Sample>& Samples();
std::vector<std::string> SampleNames();

struct SampleOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  Work work = {};
};

// Serves it until SIGINT or SIGTERM; returns the exit code.
int RunSample(const Sample& sample, const SampleOptions& options);

}  // namespace cloudstate::samples
