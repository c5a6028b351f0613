#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "cmd/cloudstate-dev/commands.h"
#include "cmd/cloudstate-dev/kept_output.h"
#include "emulator/runtime/emulator.h"

namespace cloudstate::cli {

// Which user function a command brings an emulator of its own together with. At most one of the first three.
struct UserFunctionChoice {
  std::string address;                                                        // HOST:PORT of one that runs already
  std::vector<std::string> command;                                           // starts one, with HOST and PORT set
  std::string sample;                                                         // one that comes with this program
  std::size_t max_active_entities = runtime::Settings().max_active_entities;  // what it bears at a time

  bool empty() const { return address.empty() && command.empty() && sample.empty(); }
};

// Starts a sample of this program as a process of its own.
std::vector<std::string> SampleCommand(const std::string& sample);

// Adds --user-function, --serve (a line for the shell), --sample and --max-active-entities; with `COMMAND` the words
// after -- start one as well.
enum class TakesCommand { kNo, kYes };
void AddUserFunctionChoice(CLI::App& command, UserFunctionChoice& choice, TakesCommand takes_command);

// An emulator in this process, for one command and as long as it lives: on free ports, and of the machine's only the
// loopback; it keeps nothing unless it is given a directory. Any number of them may live in one process.
class OwnEmulator final : private runtime::Observer {
 public:
  struct Options {
    UserFunctionChoice user_function;             // empty: somebody else starts one, at user_function_address()
    runtime::Settings settings;                   // ports, user function and journal are set here
    std::string data_directory;                   // empty: ephemeral
    absl::Duration start_up = absl::Seconds(30);  // how long the user function may take until it has answered discovery
    bool show_output = false;                     // of the user function, on standard error
    // Asked now and then while the user function is waited for; true ends that. May be empty.
    std::function<bool()> given_up = {};
    // What the user function has done wrong; troubles() has it as well. On any thread, one at a time. May be empty.
    std::function<void(const std::string&)> on_complaint = {};
  };

  // Waits until the user function that was chosen has been discovered. UNAVAILABLE, with what it printed, where it ends
  // before or takes too long; FAILED_PRECONDITION where what it declares can't be served; CANCELLED where that was
  // given up; else as Emulator::Start.
  static absl::StatusOr<std::unique_ptr<OwnEmulator>> Start(Options options);
  ~OwnEmulator() override;

  const std::string& client_address() const { return emulator_->client_address(); }
  const std::string& admin_address() const { return emulator_->admin_address(); }
  const std::string& metrics_address() const { return emulator_->metrics_address(); }
  // Where it is, or is looked for: HOST:PORT.
  const std::string& user_function_address() const { return emulator_->user_function_address(); }

  // Of the user function that was started here; 0 where there is none. Any thread.
  int user_function_pid() const;
  // The last lines that it printed, each on one of its own.
  std::string Output() const { return output_.Text(); }
  std::vector<std::string> OutputLines() const { return output_.Lines(); }
  // What went wrong between the emulator and the user function so far: what it did against the protocol, its losses,
  // how its process ended, which is started again.
  // Those from a number on, of `trouble_count()`, as far as they are kept: the newest. Any thread.
  std::vector<std::string> troubles(std::size_t from = 0) const;
  std::size_t trouble_count() const;
  // How often the user function was lost. Any thread.
  std::size_t losses() const;
  // How often its process has ended. Any thread.
  std::size_t ends() const;
  // Whether it is there. Any thread.
  bool user_function_ready() const;
  // Waits for one that was lost to be there again, until it is given up; whether it is. Any thread.
  bool AwaitReturn(absl::Duration longest, const std::function<bool()>& given_up) const;

 private:
  static constexpr std::size_t kKeptTroubles = 10'000;

  explicit OwnEmulator(Options& options)
      : on_complaint_(std::move(options.on_complaint)), output_(options.show_output) {}

  void OnListening(const runtime::Emulator&) override {}
  void OnReady(const userfunction::Specification& specification) override;
  void OnLost(const std::string& reason) override;
  void OnRejected(const std::string& problem) override;
  void OnTrouble(const std::string& trouble) override;
  void OnComplaint(const std::string& complaint) override;
  void OnStarted(const std::string& label, int pid, int restarts) override;
  void OnEnded(const std::string& label, const std::string& how, absl::Duration again_in) override;
  void OnChanged(const std::string&) override {}
  void OnOutput(std::string_view line) override { output_.Add(line); }
  void OnScaling(const dev::v1::ScalingEvent&) override {}

  // Waits for is_settled_, and settles it if need be.
  void AwaitUserFunction(absl::Duration start_up, const std::function<bool()>& given_up);
  // The first that comes decides whether it has started.
  void Settle(absl::Status status);

  const std::function<void(const std::string&)> on_complaint_;
  KeptOutput output_;
  mutable std::mutex mutex_;
  std::deque<std::string> troubles_;
  std::size_t forgotten_troubles_ = 0;
  std::size_t losses_ = 0;
  std::size_t ends_ = 0;
  bool ready_ = false;
  int pid_ = 0;
  absl::Status settled_;
  absl::Notification is_settled_;
  std::unique_ptr<runtime::Emulator> emulator_;  // goes first: it tells the others
};

}  // namespace cloudstate::cli
