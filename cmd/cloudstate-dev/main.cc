#include "absl/synchronization/mutex.h"
#include "cmd/cloudstate-dev/command_line.h"

int main(int argc, char** argv) {
  // Debian builds abseil with its checks on: looking for cycles among gRPC's locks took 2 % of the emulator's time.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return cloudstate::cli::RunCommandLine(argc, argv);
}
