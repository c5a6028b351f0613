#include "cmd/cloudstate-dev/screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {
namespace {

constexpr std::size_t kUsualHeight = 24;
constexpr char kTakeOver[] = "\x1b[?1049h\x1b[?25l";  // the other screen, no cursor
constexpr char kGiveBack[] = "\x1b[?25h\x1b[?1049l";

}  // namespace

Screen::Screen() {
  if (isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &before_) == 0) {
    termios keys = before_;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    reads_keys_ = tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
  }
  Print(kTakeOver);
}

std::size_t Screen::Height() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : kUsualHeight;
}

void Screen::Draw(const std::string& text) {
  std::lock_guard lock(mutex_);
  if (ended_) return;
  // Over what stands there, so that nothing flickers: each line clears its rest, the last one what is below.
  Print("\x1b[H" + absl::StrReplaceAll(text, {{"\n", "\x1b[K\n"}}) + "\x1b[J");
}

bool Screen::Wait(absl::Duration time) {
  const absl::Time end = absl::Now() + time;
  for (;;) {
    pollfd polled[] = {{end_.descriptor(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    const nfds_t count = reads_keys_ ? 2 : 1;
    const int ready = poll(polled, count, base::PollTimeout(end - absl::Now()));
    if (polled[0].revents != 0) return false;
    if (reads_keys_ && polled[1].revents != 0 && ReadKeys()) return false;
    if (ready == 0) return true;
  }
}

bool Screen::ReadKeys() {
  char keys[64];
  const ssize_t count = read(STDIN_FILENO, keys, sizeof(keys));
  if (count <= 0) {  // the terminal has gone
    reads_keys_ = false;
    return true;
  }
  return std::any_of(keys, keys + count, [](char key) { return key == 'q' || key == 'Q'; });
}

void Screen::End() {
  std::lock_guard lock(mutex_);
  if (ended_) return;
  ended_ = true;
  Print(kGiveBack);
  if (reads_keys_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  end_.Set();
}

}  // namespace cloudstate::cli
