#pragma once

#include <string>
#include <string_view>

#include "emulator/runtime/emulator.h"
#include "emulator/runtime/log_book.h"

namespace cloudstate::runtime {

// Writes what an observer is told into the log book as well. Threads as of Observer.
class NotingObserver final : public Observer {
 public:
  // Both outlive this.
  NotingObserver(Observer& observer, LogBook& book) : observer_(observer), book_(book) {}

  void OnListening(const Emulator& emulator) override;
  void OnReady(const userfunction::Specification& specification) override;
  void OnLost(const std::string& reason) override;
  void OnRejected(const std::string& problem) override;
  void OnTrouble(const std::string& trouble) override;
  void OnComplaint(const std::string& complaint) override;
  void OnStarted(const std::string& label, int pid, int restarts) override;
  void OnEnded(const std::string& label, const std::string& how, absl::Duration again_in) override;
  void OnChanged(const std::string& path) override;
  void OnOutput(std::string_view line) override;
  void OnScaling(const dev::v1::ScalingEvent& event) override;

 private:
  void Note(base::LogLevel level, const std::string& text);

  Observer& observer_;
  LogBook& book_;
};

}  // namespace cloudstate::runtime
