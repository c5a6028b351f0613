#include "cmd/cloudstate-dev/web_browser.h"

#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"

extern char** environ;

namespace cloudstate::cli {
namespace {

// The shell ends at once, so that nobody has to wait for the browser.
constexpr char kScript[] = R"(command -v "$0" >/dev/null || exit 127; "$0" "$1" >/dev/null 2>&1 &)";

}  // namespace

absl::Status OpenWebBrowser(const std::string& url) {
  const char* named = std::getenv("BROWSER");
  std::string program = named != nullptr && *named != '\0' ? named : "xdg-open";
  std::string shell = "sh";
  std::string option = "-c";
  std::string script = kScript;
  std::string argument = url;
  char* const arguments[] = {shell.data(), option.data(), script.data(), program.data(), argument.data(), nullptr};
  // The emulator's blocked signals are not the browser's; and in a session of its own, Ctrl-C does not reach it.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  pid_t pid = 0;
  const bool spawned = posix_spawnp(&pid, shell.c_str(), nullptr, &attributes, arguments, environ) == 0;
  posix_spawnattr_destroy(&attributes);
  int status = -1;
  if (spawned && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat("--open cannot start ", program,
                                          ". Set BROWSER to a web browser's command, or open ", url, " yourself."));
}

std::string LocalUrl(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  const std::string host = address.substr(0, colon);
  const bool any = host == "0.0.0.0" || host == "[::]";
  return absl::StrCat("http://", any ? "127.0.0.1" : host, address.substr(colon));
}

}  // namespace cloudstate::cli
