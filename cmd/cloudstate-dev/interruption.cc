#include "cmd/cloudstate-dev/interruption.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"

namespace cloudstate::cli {
namespace {

constexpr int kStop = SIGUSR1;  // tells our thread that it is not wanted any more

// The next of the signals within this time; 0 where none comes.
int Next(const sigset_t& signals, absl::Duration time) {
  const timespec longest = absl::ToTimespec(std::max(time, absl::ZeroDuration()));
  return std::max(sigtimedwait(&signals, nullptr, &longest), 0);
}

}  // namespace

Interruption::Interruption(std::function<void()> interrupt) {
  sigemptyset(&signals_);
  for (const int each : {SIGINT, SIGTERM, SIGHUP, kStop}) sigaddset(&signals_, each);
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  thread_ = std::thread([this, interrupt = std::move(interrupt)] { Wait(interrupt); });
}

Interruption::~Interruption() {
  pthread_kill(thread_.native_handle(), kStop);
  thread_.join();
  while (interrupted_ && Next(signals_, absl::ZeroDuration()) != 0) {
    // What has interrupted, told once more.
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Interruption::Wait(const std::function<void()>& interrupt) {
  int received = 0;
  sigwait(&signals_, &received);
  if (received == kStop) return;
  interrupted_ = true;
  const absl::Time until = absl::Now() + kTheSameSignal;
  interrupt();
  while (absl::Now() < until) {
    if (Next(signals_, until - absl::Now()) == kStop) return;
  }
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, kStop);
  pthread_sigmask(SIG_SETMASK, &stop, nullptr);
  sigwait(&stop, &received);
}

}  // namespace cloudstate::cli
