#include "cmd/cloudstate-dev/own_emulator.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "cmd/cloudstate-dev/version.h"
#include "samples/cpp/samples.h"

namespace cloudstate::cli {
namespace {

constexpr absl::Duration kAskAgain = absl::Milliseconds(20);

// Free ports, the loopback, and the user function that was chosen, or a port for one that is still to come.
void UseChoice(const UserFunctionChoice& choice, runtime::Settings& settings) {
  settings.version = Version();
  settings.commit = Commit();
  settings.max_active_entities = choice.max_active_entities;
  settings.port = settings.admin_port = settings.metrics_port = settings.user_function_port = 0;
  if (const auto address = ParseHostAndPort(choice.address)) {
    settings.user_function_host = address->host;
    settings.user_function_port = address->port;
  } else {
    settings.command = choice.sample.empty() ? choice.command : SampleCommand(choice.sample);
  }
}

}  // namespace

std::vector<std::string> SampleCommand(const std::string& sample) {
  std::error_code error;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", error).string();
  return {error ? "/proc/self/exe" : program, "sample", sample};
}

void AddUserFunctionChoice(CLI::App& command, UserFunctionChoice& choice, TakesCommand takes_command) {
  auto line = std::make_shared<std::string>();
  command.add_option("--user-function", choice.address, "A user function that runs already")->type_name("HOST:PORT");
  command.add_option("--serve", *line, "Starts the user function, by the shell, with HOST and PORT set")
      ->type_name("'COMMAND'");
  command.add_option("--sample", choice.sample, "A user function that comes with this program")
      ->check(CLI::IsMember(samples::SampleNames()));
  command
      .add_option("--max-active-entities", choice.max_active_entities,
                  "At most so many streams to the user function; 0 for no limit (use 9 for Python's library)")
      ->capture_default_str();
  if (takes_command == TakesCommand::kYes) {
    command.add_option("COMMAND", choice.command, "Starts the user function; after --");
  }
  command.parse_complete_callback([&choice, line] {
    const bool several =
        !choice.address.empty() + !line->empty() + !choice.sample.empty() + !choice.command.empty() > 1;
    if (several) throw CLI::ValidationError("Choose one user function.");
    if (!choice.address.empty() && !ParseHostAndPort(choice.address).has_value()) {
      throw CLI::ValidationError("--user-function takes HOST:PORT, not '" + choice.address + "'.");
    }
    if (!line->empty()) choice.command = {"/bin/sh", "-c", *line};
  });
}

absl::StatusOr<std::unique_ptr<OwnEmulator>> OwnEmulator::Start(Options options) {
  std::unique_ptr<OwnEmulator> own(new OwnEmulator(options));
  UseChoice(options.user_function, options.settings);
  options.settings.durability =
      options.data_directory.empty() ? journal::Durability::kEphemeral : journal::Durability::kRelaxed;
  options.settings.data_directory = options.data_directory;
  auto emulator = runtime::Emulator::Start(std::move(options.settings), *own);
  if (!emulator.ok()) return emulator.status();
  own->emulator_ = *std::move(emulator);
  if (options.user_function.empty()) return own;
  own->AwaitUserFunction(options.start_up, options.given_up);
  std::lock_guard lock(own->mutex_);
  if (own->settled_.ok()) return own;
  return absl::Status(own->settled_.code(), absl::StrCat(absl::string_view(own->settled_.message()), own->Output()));
}

OwnEmulator::~OwnEmulator() { emulator_ = nullptr; }

int OwnEmulator::user_function_pid() const {
  std::lock_guard lock(mutex_);
  return pid_;
}

std::vector<std::string> OwnEmulator::troubles(std::size_t from) const {
  std::lock_guard lock(mutex_);
  const std::size_t skipped = std::min(std::max(from, forgotten_troubles_) - forgotten_troubles_, troubles_.size());
  return {troubles_.begin() + static_cast<std::ptrdiff_t>(skipped), troubles_.end()};
}

std::size_t OwnEmulator::trouble_count() const {
  std::lock_guard lock(mutex_);
  return forgotten_troubles_ + troubles_.size();
}

std::size_t OwnEmulator::losses() const {
  std::lock_guard lock(mutex_);
  return losses_;
}

std::size_t OwnEmulator::ends() const {
  std::lock_guard lock(mutex_);
  return ends_;
}

bool OwnEmulator::user_function_ready() const {
  std::lock_guard lock(mutex_);
  return ready_;
}

bool OwnEmulator::AwaitReturn(absl::Duration longest, const std::function<bool()>& given_up) const {
  const absl::Time end = absl::Now() + longest;
  while (!user_function_ready()) {
    if (given_up() || absl::Now() >= end) return false;
    absl::SleepFor(kAskAgain);
  }
  return true;
}

void OwnEmulator::AwaitUserFunction(absl::Duration start_up, const std::function<bool()>& given_up) {
  const absl::Time end = absl::Now() + start_up;
  while (!is_settled_.WaitForNotificationWithTimeout(std::min(kAskAgain, end - absl::Now()))) {
    if (given_up != nullptr && given_up()) Settle(absl::CancelledError("The user function was given up."));
    if (absl::Now() < end) continue;
    const std::vector<std::string> known = troubles();
    Settle(absl::UnavailableError(absl::StrCat("The user function at ", user_function_address(),
                                               " did not answer discovery within ", FormatShortDuration(start_up),
                                               known.empty() ? "." : absl::StrCat(": ", known.back()))));
  }
}

void OwnEmulator::Settle(absl::Status status) {
  std::lock_guard lock(mutex_);
  if (is_settled_.HasBeenNotified()) return;
  settled_ = std::move(status);
  is_settled_.Notify();
}

void OwnEmulator::OnReady(const userfunction::Specification&) {
  {
    std::lock_guard lock(mutex_);
    ready_ = true;
  }
  Settle(absl::OkStatus());
}

void OwnEmulator::OnLost(const std::string& reason) {
  OnTrouble(absl::StrCat("the user function is lost: ", reason));
  std::lock_guard lock(mutex_);
  ++losses_;
  ready_ = false;
}

void OwnEmulator::OnRejected(const std::string& problem) { Settle(absl::FailedPreconditionError(problem)); }

void OwnEmulator::OnTrouble(const std::string& trouble) {
  std::lock_guard lock(mutex_);
  troubles_.push_back(trouble);
  if (troubles_.size() <= kKeptTroubles) return;
  troubles_.pop_front();
  ++forgotten_troubles_;
}

void OwnEmulator::OnComplaint(const std::string& complaint) {
  OnTrouble(complaint);
  if (on_complaint_ != nullptr) on_complaint_(complaint);
}

void OwnEmulator::OnStarted(const std::string&, int pid, int) {
  std::lock_guard lock(mutex_);
  pid_ = pid;
}

void OwnEmulator::OnEnded(const std::string&, const std::string& how, absl::Duration again_in) {
  bool started = false;
  {
    std::lock_guard lock(mutex_);
    pid_ = 0;
    ++ends_;
    started = is_settled_.HasBeenNotified();
    // It may be one that cannot listen on a port that is reserved: what counts is what comes of its second start.
    if (!started && ends_ == 1) return output_.Clear();
  }
  if (started && again_in > absl::ZeroDuration()) OnTrouble(absl::StrCat("the user function ", how));
  Settle(absl::UnavailableError(absl::StrCat("The user function ", how, " before it answered discovery.")));
}

}  // namespace cloudstate::cli
