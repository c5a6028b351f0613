#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "emulator/runtime/settings.h"

namespace cloudstate::dev::v1 {
class ScalingEvent;
}  // namespace cloudstate::dev::v1

namespace cloudstate::runtime {

class Emulator;

// What happens, for whoever sits in front of the terminal. Called from any thread, also from two at once.
class Observer {
 public:
  virtual ~Observer() = default;
  // All ports are open; what comes after this is about the user function.
  virtual void OnListening(const Emulator& emulator) = 0;
  virtual void OnReady(const userfunction::Specification& specification) = 0;
  virtual void OnLost(const std::string& reason) = 0;
  virtual void OnRejected(const std::string& problem) = 0;
  virtual void OnTrouble(const std::string& trouble) = 0;
  // What the user function has done that the protocol does not let it do; it is told the same.
  virtual void OnComplaint(const std::string& complaint) = 0;
  // Of the user function that the emulator started; `label` names the replica, "[2] ", and is empty where there is one
  // for all.
  virtual void OnStarted(const std::string& label, int pid, int restarts) = 0;
  virtual void OnEnded(const std::string& label, const std::string& how, absl::Duration again_in) = 0;
  virtual void OnChanged(const std::string& path) = 0;
  virtual void OnOutput(std::string_view line) = 0;
  // Each event of scaling, ticks too.
  virtual void OnScaling(const dev::v1::ScalingEvent& event) = 0;
};

// Everything, put together for real: threads, sockets, a file. Serves from Start until it is destroyed, which lets
// calls in progress end within the grace.
class Emulator {
 public:
  // Errors say which setting to change: a port that is taken, a directory in use, a command that is not there.
  static absl::StatusOr<std::unique_ptr<Emulator>> Start(Settings settings, Observer& observer);
  virtual ~Emulator() = default;

  // HOST:PORT as they came out. That of the user function says so where each replica has its own.
  virtual const std::string& client_address() const = 0;
  virtual const std::string& admin_address() const = 0;
  virtual const std::string& metrics_address() const = 0;
  virtual const std::string& user_function_address() const = 0;
};

}  // namespace cloudstate::runtime
