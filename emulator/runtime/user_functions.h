#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/scaling/scaler.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::runtime {

// The user function of an emulator, be it one that all nodes share or a process for each, and the nodes that are there
// for it.
class UserFunctions {
 public:
  virtual ~UserFunctions() = default;

  // Makes the first nodes. Once, on the strand, before anybody can call.
  virtual void MakeNodes() = 0;
  // Starts what is ours to start, and reaches for it. Errors say which setting to change. Not from a task of the
  // strand.
  virtual absl::Status Start() = 0;
  // The emulator begins to end: the number of replicas stays as it is. On the strand.
  virtual void EndScaling() = 0;
  // Lets go of the user function, and ends what was started here. Errors that are reported later reach the observer
  // only. Calls after the first do nothing. Not from a task of the strand.
  virtual void Stop() = 0;

  // On the strand. All but the first not after Stop.
  virtual void ReportError(const std::string& text) = 0;
  virtual dev::v1::UserFunction Describe() const = 0;
  // Null while nothing is known of it.
  virtual std::shared_ptr<const userfunction::Specification> specification() const = 0;
  // Null where nothing is scaled.
  virtual scaling::Scaler* scaler() = 0;
};

}  // namespace cloudstate::runtime
