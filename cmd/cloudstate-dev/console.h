#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/runtime/emulator.h"
#include "google/protobuf/struct.pb.h"

namespace cloudstate::cli {

// What `run` prints: few lines, only what matters, and for each new user function what can be called and how. With
// --json every line is an object with an "event".
class Console final : public runtime::Observer {
 public:
  // `settings` outlive it.
  Console(const runtime::Settings& settings, bool json, Terminal terminal)
      : settings_(settings), json_(json), terminal_(terminal) {}

  void ShowStop();

  void OnListening(const runtime::Emulator& emulator) override;
  void OnReady(const userfunction::Specification& specification) override;
  void OnLost(const std::string& reason) override;
  void OnRejected(const std::string& problem) override;
  void OnTrouble(const std::string& trouble) override;
  void OnComplaint(const std::string& complaint) override;
  void OnStarted(const std::string& label, int pid, int restarts) override;
  void OnEnded(const std::string& label, const std::string& how, absl::Duration again_in) override;
  void OnChanged(const std::string& path) override;
  void OnOutput(std::string_view line) override;
  // What changes the number of replicas, and when one that was started is there.
  void OnScaling(const dev::v1::ScalingEvent& event) override;

 private:
  using Fields = google::protobuf::Struct;

  void Show(const std::string& event, Style style, const std::string& text, Fields fields = {});
  std::string Describe(const userfunction::Specification& specification) const;
  std::string TryIt(const userfunction::Specification& specification) const;

  const runtime::Settings& settings_;
  const bool json_;
  const Terminal terminal_;
  std::string client_address_;  // set before anything else is shown
  std::mutex mutex_;            // one line at a time
};

}  // namespace cloudstate::cli
