#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/testfile.pb.h"
#include "emulator/simulation/yaml_message.h"

namespace cloudstate::cli {

// A test file as it was read. Stays where it is: its places are known by addresses.
struct LoadedTestFile {
  explicit LoadedTestFile(std::string name) : path(std::move(name)), places(path) {}

  std::string path;
  dev::v1::TestFile file;
  simulation::YamlPlaces places;
};
using LoadedTestFiles = std::vector<std::unique_ptr<LoadedTestFile>>;

// Whether it is one where a directory is named: *.yaml and *.yml.
bool IsTestFile(const std::filesystem::path& path);

// Files, and the *.yaml and *.yml of directories in the order of their names. NOT_FOUND for what is not there,
// INVALID_ARGUMENT with the place for what is no test file, or makes no sense by itself.
absl::StatusOr<LoadedTestFiles> LoadTestFiles(const std::vector<std::string>& paths);

}  // namespace cloudstate::cli
