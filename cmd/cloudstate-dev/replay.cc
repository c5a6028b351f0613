#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/interruption.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "cmd/cloudstate-dev/test_files.h"
#include "cmd/cloudstate-dev/test_output.h"
#include "cmd/cloudstate-dev/test_player.h"

namespace cloudstate::cli {
namespace {

constexpr char kReplayExamples[] =
    "  cloudstate-dev replay recorded.yaml\n"
    "  cloudstate-dev --admin 127.0.0.1:9001 replay recorded.yaml --seed-given";

struct TestReplayOptions {
  std::vector<std::string> files;
  bool seed_given = false;
  absl::Duration timeout = absl::Seconds(30);
};

// What a person calls a step.
std::string StepTitle(const dev::v1::TestStep& step) {
  if (step.kind_case() == dev::v1::TestStep::kCall) return step.call();
  if (step.kind_case() == dev::v1::TestStep::kHttp) return step.http();
  const auto* kind = dev::v1::TestStep::descriptor()->FindFieldByNumber(static_cast<int>(step.kind_case()));
  return kind == nullptr ? "a step" : kind->name();
}

// Plays files into an emulator that goes on as it is, and tells of each step what came of it.
class ReplayRun {
 public:
  ReplayRun(TestPlayer& player, const TestReplayOptions& options, bool json, const std::atomic<bool>& interrupted)
      : player_(player), options_(options), json_(json), interrupted_(interrupted) {}

  absl::Status Play(const LoadedTestFile& read) {
    for (int i = 0; i < read.file.cases_size() && !interrupted_; ++i) {
      const dev::v1::TestCase& each = read.file.cases(i);
      if (!each.skip().empty()) {
        Skip(each);
        continue;
      }
      if (!json_) Print(absl::StrCat(Styled(Printable(each.name()), Style::kBold, terminal_), "\n"));
      if (options_.seed_given) {
        if (absl::Status status = player_.Give(read.file, read.places, i); !status.ok()) return status;
      }
      for (const auto* steps : {&read.file.before(), &each.when()}) {
        for (const dev::v1::TestStep& step : *steps) {
          if (interrupted_) return absl::OkStatus();
          Tell(each, step, player_.PlayStep(read.file, read.places, i, step, options_.timeout));
        }
      }
    }
    return absl::OkStatus();
  }

  int End() const {
    if (json_) {
      Print(absl::StrCat("{\"steps\":", steps_, ",\"different\":", different_, ",\"skippedCases\":", skipped_,
                         ",\"outcomes\":[", outcomes_, "]}\n"));
    } else if (steps_ == 0) {
      Print("Nothing was played.\n");
    } else {
      const std::string outcome =
          different_ == 0 ? "all came as expected" : absl::StrCat(different_, " did not come as expected");
      Print(absl::StrCat(Counted(steps_, "step"), ": ",
                         Styled(outcome, different_ == 0 ? Style::kGood : Style::kBad, terminal_), "\n"));
    }
    return different_ == 0 ? kOk : kFailed;
  }

 private:
  void Skip(const dev::v1::TestCase& skipped) {
    ++skipped_;
    if (json_) return;
    Print(absl::StrCat(Styled(Printable(skipped.name()), Style::kBold, terminal_),
                       "\n  skipped: ", Printable(skipped.skip()), "\n"));
  }

  void Tell(const dev::v1::TestCase& of, const dev::v1::TestStep& step,
            const std::optional<testing::CaseFailure>& failure) {
    if (interrupted_) return;  // what it says then is no difference
    ++steps_;
    different_ += failure.has_value() ? 1 : 0;
    const std::string title = StepTitle(step);
    if (json_) {
      absl::StrAppend(&outcomes_, outcomes_.empty() ? "" : ",", "{\"case\":", JsonString(of.name()),
                      ",\"step\":", JsonString(title), ",\"passed\":", failure.has_value() ? "false" : "true",
                      ",\"problem\":", JsonString(failure.has_value() ? failure->problem : ""),
                      ",\"place\":", JsonString(failure.has_value() ? failure->place : ""), "}");
    } else if (!failure.has_value()) {
      Print(absl::StrCat("  ", Styled("as expected", Style::kGood, terminal_), "  ", Printable(title), "\n"));
    } else {
      Print(absl::StrCat("  ", Styled("different", Style::kBad, terminal_), "    ", Printable(title), "\n",
                         FailureLines(*failure, terminal_)));
    }
  }

  TestPlayer& player_;
  const TestReplayOptions& options_;
  const bool json_;
  const std::atomic<bool>& interrupted_;
  const Terminal terminal_ = StandardOutput();
  std::int64_t steps_ = 0;
  std::int64_t different_ = 0;
  std::int64_t skipped_ = 0;
  std::string outcomes_;  // JSON
};

absl::StatusOr<std::unique_ptr<TestPlayer>> ConnectPlayer(const Settings& settings) {
  absl::StatusOr<std::unique_ptr<Client>> client = Client::ConnectToAny(settings);
  if (!client.ok()) return client.status();
  auto status = (*client)->Call(&Client::Stub::GetStatus, dev::v1::GetStatusRequest());
  if (!status.ok()) return status.status();
  return TestPlayer::Connect({.client = status->client_address(), .admin = (*client)->address()});
}

int ReplayFiles(const Settings& settings, const TestReplayOptions& options) {
  const absl::StatusOr<LoadedTestFiles> files = LoadTestFiles(options.files);
  if (!files.ok()) return Fail(files.status(), kUsage);
  std::atomic<bool> interrupted = false;
  std::atomic<TestPlayer*> playing = nullptr;
  // Before the connection, so that its threads leave the signals alone.
  std::unique_ptr<TestPlayer> player;
  const Interruption interruption([&] {
    interrupted = true;
    if (TestPlayer* one = playing) one->Interrupt();
  });
  absl::StatusOr<std::unique_ptr<TestPlayer>> connected = ConnectPlayer(settings);
  if (!connected.ok()) return Fail(connected.status(), kNotFound);
  player = *std::move(connected);
  playing = player.get();
  for (const auto& read : *files) {
    if (absl::Status status = player->Check(read->file, read->places); !status.ok()) return Fail(status, kUsage);
  }
  ReplayRun run(*player, options, settings.json, interrupted);
  for (const auto& read : *files) {
    if (absl::Status status = run.Play(*read); !status.ok()) return Fail(status);
  }
  const int code = run.End();
  return interrupted ? kInterrupted : code;
}

}  // namespace

void AddReplay(CLI::App& root, Invocation& invocation) {
  auto options = std::make_shared<TestReplayOptions>();
  CLI::App* command =
      Command(root, "replay",
              "Play the steps of test files, such as those of `record`, into the emulator that runs, as "
              "it is, and tell what comes otherwise than they expect; what a case expects at its end is left to `test`",
              kReplayExamples);
  command->group(kTestGroup);
  command->add_option("FILES", options->files, "Test files, and directories of them")->required();
  command->add_flag("--seed-given", options->seed_given, "Store what the cases give first, behind what is stored");
  DurationSetting(*command, "--timeout", "", options->timeout, "For each step");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return ReplayFiles(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
