#include "cmd/cloudstate-dev/test_watch.h"

#include <poll.h>

#include <cstddef>
#include <filesystem>
#include <utility>

#include "cmd/cloudstate-dev/test_files.h"

namespace cloudstate::cli {
namespace {

namespace fs = std::filesystem;
using userfunction::DirectoryWatch;

fs::path Canonical(const std::string& path) {
  std::error_code error;
  fs::path canonical = fs::weakly_canonical(fs::absolute(path, error), error);
  return error ? fs::path(path) : canonical;
}

std::string DirectoryOf(const std::string& file) {
  const fs::path parent = fs::path(file).parent_path();
  return parent.empty() ? "." : parent.string();
}

}  // namespace

absl::StatusOr<TestWatch> TestWatch::Start(const Options& options) {
  TestWatch started;
  const fs::path left_out = options.left_out.empty() ? fs::path() : Canonical(options.left_out);
  const auto add = [&](const std::string& directory, DirectoryWatch::Depth depth, auto counts) -> absl::Status {
    auto watch = DirectoryWatch::Create(directory, depth);
    if (!watch.ok()) return watch.status();
    started.watched_.push_back({*std::move(watch), [left_out, counts](const std::string& path) {
                                  return counts(fs::path(path)) && (left_out.empty() || Canonical(path) != left_out);
                                }});
    return absl::OkStatus();
  };
  for (const std::string& file : options.files) {
    std::error_code error;
    const bool directory = fs::is_directory(file, error);
    const absl::Status status =
        directory ? add(file, DirectoryWatch::Depth::kDirectly, [](const fs::path& path) { return IsTestFile(path); })
                  : add(DirectoryOf(file), DirectoryWatch::Depth::kDirectly,
                        [name = fs::path(file).filename()](const fs::path& path) { return path.filename() == name; });
    if (!status.ok()) return status;
  }
  if (options.directory.empty()) return started;
  const absl::Status status =
      add(options.directory, DirectoryWatch::Depth::kAllBelow, [](const fs::path&) { return true; });
  if (!status.ok()) return status;
  started.directory_ = started.watched_.back().watch.get();
  return started;
}

std::string TestWatch::AwaitChange(const base::WakeEvent& stop) {
  constexpr int kSettleMilliseconds = 100;
  std::vector<pollfd> polled = {{stop.descriptor(), POLLIN, 0}};
  for (const Watched& each : watched_) polled.push_back({each.watch->descriptor(), POLLIN, 0});
  std::string changed;
  // One save is several changes, which come together.
  while (poll(polled.data(), polled.size(), changed.empty() ? -1 : kSettleMilliseconds) > 0) {
    if (polled.front().revents != 0) return "";
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      if (polled[i + 1].revents == 0) continue;
      const std::string path = watched_[i].watch->TakeChange(watched_[i].counts);
      if (!path.empty()) changed = path;
    }
  }
  return changed;
}

void TestWatch::ForgetDirectory() {
  if (directory_ != nullptr) directory_->TakeChange();
}

}  // namespace cloudstate::cli
