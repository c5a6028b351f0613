#pragma once

#include <csignal>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace cloudstate::cli {

// What the process ends with. --help documents them.
enum ExitCode : int {
  kOk = 0,
  kFailed = 1,                  // the operation failed
  kUsage = 2,                   // arguments or settings that make no sense
  kNotFound = 3,                // no emulator and no journal where they were looked for
  kInterrupted = 128 + SIGINT,  // by Ctrl-C, as a shell tells it
};

// Settings of all commands.
struct Settings {
  std::string admin;  // HOST:PORT of the admin port; empty to look for it
  std::string data_directory = ".cloudstate-dev";
  std::vector<std::string> descriptors;  // files with types besides those in the journal
  bool json = false;
};

// What the command line asked for: each command fills in `action` when it is the chosen one.
struct Invocation {
  Settings settings;
  std::size_t words_after_dashes = 0;  // how many words follow the first --
  std::function<int()> action;         // returns the exit code
};

// Each adds one command, with its options, to the tree.
void AddCall(CLI::App& root, Invocation& invocation);
void AddCalls(CLI::App& root, Invocation& invocation);
void AddCheckHistory(CLI::App& root, Invocation& invocation);
void AddCompletion(CLI::App& root, Invocation& invocation);
void AddCrdt(CLI::App& root, Invocation& invocation);
void AddDoctor(CLI::App& root, Invocation& invocation);
void AddExec(CLI::App& root, Invocation& invocation);
void AddExport(CLI::App& root, Invocation& invocation);
void AddFuzzUserFunction(CLI::App& root, Invocation& invocation);
void AddImport(CLI::App& root, Invocation& invocation);
void AddJournal(CLI::App& root, Invocation& invocation);
void AddLogs(CLI::App& root, Invocation& invocation);
void AddNetwork(CLI::App& root, Invocation& invocation);
void AddNodes(CLI::App& root, Invocation& invocation);
void AddRecord(CLI::App& root, Invocation& invocation);
void AddReplay(CLI::App& root, Invocation& invocation);
void AddSample(CLI::App& root, Invocation& invocation);
void AddScale(CLI::App& root, Invocation& invocation);
void AddServices(CLI::App& root, Invocation& invocation);
void AddShards(CLI::App& root, Invocation& invocation);
void AddSimulate(CLI::App& root, Invocation& invocation);
void AddStatus(CLI::App& root, Invocation& invocation);
void AddTck(CLI::App& root, Invocation& invocation);
void AddTest(CLI::App& root, Invocation& invocation);

// Adds the subcommands of `scale`; status and watch are in AddScale.
void AddScaleRecord(CLI::App& scale, Invocation& invocation);
void AddScaleSet(CLI::App& scale, Invocation& invocation);
void AddScaleSimulate(CLI::App& scale, Invocation& invocation);
void AddScaleTune(CLI::App& scale, Invocation& invocation);

// Adds the subcommands of `journal`.
void AddJournalDelete(CLI::App& journal, Invocation& invocation);
void AddJournalList(CLI::App& journal, Invocation& invocation);
void AddJournalReplay(CLI::App& journal, Invocation& invocation);
void AddJournalShow(CLI::App& journal, Invocation& invocation);
void AddJournalTail(CLI::App& journal, Invocation& invocation);

// Adds the subcommands of `nodes` that show something for as long as one likes.
void AddNodesEvents(CLI::App& nodes, Invocation& invocation);
void AddNodesTop(CLI::App& nodes, Invocation& invocation);

// The groups of the first help screen.
inline constexpr char kRunGroup[] = "Run";
inline constexpr char kLookGroup[] = "Look";
inline constexpr char kUseGroup[] = "Use";
inline constexpr char kTestGroup[] = "Test";
inline constexpr char kClusterGroup[] = "Cluster";
inline constexpr char kHelpGroup[] = "Help";

}  // namespace cloudstate::cli
