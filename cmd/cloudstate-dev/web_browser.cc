#include "cmd/cloudstate-dev/web_browser.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

extern char** environ;

namespace cloudstate::cli {
namespace {

// BROWSER is a list, by colons, of commands that may have arguments. The shell ends at once, so that nobody has to wait
// for the browser.
constexpr char kScript[] = R"(
  IFS=:
  set -f
  for browser in ${BROWSER:+$BROWSER:}xdg-open; do
    IFS=' '
    set -- $browser
    command -v "$1" >/dev/null || continue
    "$@" "$0" >/dev/null 2>&1 &
    exit 0
  done
  exit 127)";

}  // namespace

absl::Status OpenWebBrowser(const std::string& url) {
  std::string shell = "sh";
  std::string option = "-c";
  std::string script = kScript;
  std::string argument = url;
  char* const arguments[] = {shell.data(), option.data(), script.data(), argument.data(), nullptr};
  // The browser may stay for longer than the emulator, whose open ports are not to stay with it.
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  // The emulator's blocked signals are not the browser's; and in a session of its own, Ctrl-C does not reach it.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  pid_t pid = 0;
  const bool spawned = posix_spawnp(&pid, shell.c_str(), &actions, &attributes, arguments, environ) == 0;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  int status = -1;
  if (spawned && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat(
      "--open finds no web browser: neither xdg-open nor what BROWSER names is there. Open ", url, " yourself."));
}

std::string LocalUrl(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  const std::string host = address.substr(0, colon);
  const bool any = host == "0.0.0.0" || host == "[::]";
  return absl::StrCat("http://", any ? "127.0.0.1" : host, address.substr(colon));
}

}  // namespace cloudstate::cli
