#include "emulator/base/wake_event.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace cloudstate::base {

int PollTimeout(absl::Duration time) {
  if (time == absl::InfiniteDuration()) return -1;
  return static_cast<int>(absl::Ceil(std::max(time, absl::ZeroDuration()), absl::Milliseconds(1)) /
                          absl::Milliseconds(1));
}

WakeEvent::WakeEvent() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ >= 0) return;
  std::fprintf(stderr, "there is no descriptor to wake a thread with: %s. Allow more open files (ulimit -n).\n",
               std::strerror(errno));
  std::abort();
}

WakeEvent::~WakeEvent() { close(descriptor_); }

// Neither fails but for a counter that is full, or zero, and then says what it should.
void WakeEvent::Set() const { eventfd_write(descriptor_, 1); }

void WakeEvent::Clear() const {
  eventfd_t count = 0;
  eventfd_read(descriptor_, &count);
}

bool WakeEvent::SetWithin(absl::Duration time) const {
  pollfd wait{descriptor_, POLLIN, 0};
  return poll(&wait, 1, PollTimeout(time)) == 1;
}

}  // namespace cloudstate::base
