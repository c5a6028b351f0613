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
  Console(bool json, Terminal terminal) : json_(json), terminal_(terminal) {}

  // Once the emulator listens; what happens before that is held back.
  void ShowStart(const runtime::Emulator& emulator, const runtime::Settings& settings);
  void ShowStop();

  void OnReady(const userfunction::Specification& specification) override;
  void OnLost(const std::string& reason) override;
  void OnRejected(const std::string& problem) override;
  void OnTrouble(const std::string& trouble) override;
  void OnStarted(int pid, int restarts) override;
  void OnEnded(const std::string& how, absl::Duration again_in) override;
  void OnChanged(const std::string& path) override;
  void OnOutput(std::string_view line) override;

 private:
  using Fields = google::protobuf::Struct;

  std::string Line(const std::string& event, Style style, const std::string& text, Fields fields) const;
  void Show(const std::string& event, Style style, const std::string& text, Fields fields = {});
  std::string Describe(const userfunction::Specification& specification) const;
  std::string TryIt(const userfunction::Specification& specification) const;

  const bool json_;
  const Terminal terminal_;
  std::mutex mutex_;
  std::string client_address_;
  std::string held_;  // lines from before the start was shown
  bool started_ = false;
  bool ready_ = false;
};

}  // namespace cloudstate::cli
