#include "cmd/cloudstate-dev/test_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "emulator/cluster/cluster.h"
#include "emulator/testing/file_check.h"
#include "emulator/testing/test_file.h"

namespace cloudstate::cli {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<std::vector<std::string>> TestFilesOf(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    if (fs::exists(path, error)) return std::vector<std::string>{path};
    return absl::NotFoundError(absl::StrCat("There is no test file ", path, "."));
  }
  std::vector<std::string> found;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    if (IsTestFile(at->path())) found.push_back(at->path().string());
  }
  if (error) return absl::UnavailableError(absl::StrCat("The directory ", path, " can't be read: ", error.message()));
  if (found.empty()) return absl::NotFoundError(absl::StrCat("There are no *.yaml in ", path, "."));
  std::sort(found.begin(), found.end());
  return found;
}

absl::StatusOr<std::unique_ptr<LoadedTestFile>> LoadOne(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return absl::UnavailableError(absl::StrCat("The test file ", path, " can't be read."));
  auto loaded = std::make_unique<LoadedTestFile>(path);
  if (absl::Status status = testing::ReadTestFile(text, loaded->file, loaded->places); !status.ok()) return status;
  if (absl::Status status = testing::CheckForm(loaded->file, loaded->places); !status.ok()) return status;
  constexpr int kMostNodes = cluster::Cluster::kMostNodes;
  if (loaded->file.nodes() >= 0 && loaded->file.nodes() <= kMostNodes) return loaded;
  return loaded->places.Error(loaded->places.Of(loaded->file, dev::v1::TestFile::kNodesFieldNumber),
                              absl::StrCat("there are 1 to ", kMostNodes, " nodes"));
}

}  // namespace

bool IsTestFile(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".yaml" || extension == ".yml";
}

absl::StatusOr<LoadedTestFiles> LoadTestFiles(const std::vector<std::string>& paths) {
  LoadedTestFiles files;
  for (const std::string& path : paths) {
    const absl::StatusOr<std::vector<std::string>> found = TestFilesOf(path);
    if (!found.ok()) return found.status();
    for (const std::string& each : *found) {
      absl::StatusOr<std::unique_ptr<LoadedTestFile>> loaded = LoadOne(each);
      if (!loaded.ok()) return loaded.status();
      files.push_back(*std::move(loaded));
    }
  }
  return files;
}

}  // namespace cloudstate::cli
