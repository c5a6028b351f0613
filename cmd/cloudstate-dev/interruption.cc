#include "cmd/cloudstate-dev/interruption.h"

#include <pthread.h>

#include <utility>

namespace cloudstate::cli {
namespace {

constexpr int kStop = SIGUSR1;  // tells our thread that it is not wanted any more

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
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Interruption::Wait(const std::function<void()>& interrupt) {
  int received = 0;
  sigwait(&signals_, &received);
  if (received == kStop) return;
  interrupt();
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, kStop);
  pthread_sigmask(SIG_SETMASK, &stop, nullptr);
  sigwait(&stop, &received);
}

}  // namespace cloudstate::cli
