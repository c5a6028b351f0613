#include "emulator/userfunction/directory_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace cloudstate::userfunction {
namespace {

constexpr std::uint32_t kChanges = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM;

bool LeftOut(std::string_view name) {
  return name.starts_with('.') || name.ends_with('~') || name == "node_modules" || name == "target" ||
         name == "build" || name == "__pycache__";
}

}  // namespace

absl::StatusOr<std::unique_ptr<DirectoryWatch>> DirectoryWatch::Create(const std::string& directory, Depth depth) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    return absl::NotFoundError(absl::StrCat(directory, " is not a directory, so it cannot be watched"));
  }
  const int descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, "files cannot be watched");
  std::unique_ptr<DirectoryWatch> watch(new DirectoryWatch(descriptor, depth));
  watch->Add(directory);
  if (watch->directories_.empty()) return absl::ErrnoToStatus(errno, absl::StrCat(directory, " cannot be watched"));
  return watch;
}

DirectoryWatch::~DirectoryWatch() { close(descriptor_); }

void DirectoryWatch::Add(const std::string& directory) {
  const int watch = inotify_add_watch(descriptor_, directory.c_str(), kChanges);
  if (watch < 0) return;  // it has gone again, or the system's limit of watches is reached: the rest is still watched
  directories_[watch] = directory;
  if (depth_ == Depth::kDirectly) return;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.is_directory(error) && !entry.is_symlink(error) && !LeftOut(entry.path().filename().string())) {
      Add(entry.path().string());
    }
  }
}

std::string DirectoryWatch::TakeChange(const std::function<bool(const std::string& path)>& counts) {
  std::string changed;
  alignas(inotify_event) std::array<char, 16384> buffer;
  for (ssize_t size = 0; (size = read(descriptor_, buffer.data(), buffer.size())) > 0;) {
    for (const char* at = buffer.data(); at < buffer.data() + size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      at += sizeof(inotify_event) + event->len;
      const auto directory = directories_.find(event->wd);
      if (event->len == 0 || directory == directories_.end() || LeftOut(event->name)) continue;
      const std::string path = absl::StrCat(directory->second, "/", event->name);
      const bool new_directory = (event->mask & IN_ISDIR) != 0 && (event->mask & (IN_CREATE | IN_MOVED_TO)) != 0;
      if (new_directory && depth_ == Depth::kAllBelow) Add(path);
      if (!counts || counts(path)) changed = path;
    }
  }
  return changed;
}

}  // namespace cloudstate::userfunction
