#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "emulator/runtime/emulator.h"
#include "emulator/tck/driver.h"

namespace cloudstate::tck {

// Our emulator in this process, on free ports and keeping nothing, in front of a user function, with an interceptor in
// between. Ends with the object.
class EmulatorStage final : private runtime::Observer {
 public:
  // Serves nothing yet.
  explicit EmulatorStage(Waiting& waiting) : waiting_(waiting) {}

  // Waits until the emulator, with so many nodes, serves the user function at `user_function` (HOST:PORT).
  // FAILED_PRECONDITION with the reason if it refuses to, DEADLINE_EXCEEDED if nothing comes of it before `deadline`.
  static absl::StatusOr<std::unique_ptr<EmulatorStage>> Start(const std::string& user_function, std::size_t nodes,
                                                              Waiting& waiting, absl::Time deadline);

  Stage& stage() { return *stage_; }

 private:
  absl::Status Open(const std::string& user_function, std::size_t nodes, absl::Time deadline);

  void OnListening(const runtime::Emulator&) override {}
  void OnReady(const userfunction::Specification&) override;
  void OnLost(const std::string&) override {}
  void OnRejected(const std::string& problem) override;
  void OnTrouble(const std::string&) override {}
  void OnComplaint(const std::string&) override {}
  void OnStarted(const std::string&, int, int) override {}
  void OnEnded(const std::string&, const std::string&, absl::Duration) override {}
  void OnChanged(const std::string&) override {}
  void OnOutput(std::string_view) override {}
  void OnScaling(const dev::v1::ScalingEvent&) override {}

  Waiting& waiting_;
  bool ready_ = false;   // guarded by waiting_, as the next one
  std::string problem_;  // why the emulator serves nothing
  std::unique_ptr<Interceptor> interceptor_;
  std::unique_ptr<runtime::Emulator> emulator_;
  std::unique_ptr<Link> clients_;
  std::unique_ptr<Stage> stage_;
};

}  // namespace cloudstate::tck
