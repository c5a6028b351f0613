#include "cmd/cloudstate-dev/call_tree.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/payload_text.h"
#include "emulator/admin/views.h"

namespace cloudstate::cli {
namespace {

// So many steps of a kind are all shown.
constexpr int kFewSteps = 4;

// What stands below a command: a step of its own, or a command that it caused.
struct Entry {
  enum class What { kStep, kCommand, kLeftOut } what = What::kStep;
  std::size_t index = 0;  // of the step or command, or how many steps were left out
  std::string kind = {};  // of those left out
};

std::string Describe(const dev::v1::Step& step) {
  std::string text = step.detail();
  if (!step.has_payload()) return text;
  return absl::StrCat(text, text.empty() ? "" : "  ", ShortType(step.payload().type_url()), " ", step.payload().json());
}

std::string Name(const std::string& service, const std::string& method, const std::string& entity_id) {
  return absl::StrCat(ShortMethod(service, method), entity_id.empty() ? "" : "  ", entity_id);
}

class Tree {
 public:
  explicit Tree(const dev::v1::CommandTrace& trace) : trace_(trace), entries_(1 + Count(trace.caused_size())) {
    std::vector<bool> seen(entries_.size(), false);
    for (int i = 0; i < trace.steps_size(); ++i) {
      const std::size_t command = CommandOf(trace.steps(i));
      // The first step of a caused command is its line in the tree.
      if (command != 0 && !seen[command]) {
        Attach(command, i);
      } else {
        entries_[command].push_back({Entry::What::kStep, Count(i)});
      }
      seen[command] = true;
    }
    // Commands whose steps were not kept.
    for (std::size_t command = 1; command < entries_.size(); ++command) {
      if (!seen[command]) Attach(command, -1);
    }
    for (std::vector<Entry>& entries : entries_) LeaveOutMany(entries);
  }

  std::string Format(const Terminal& terminal) {
    table_.AddRow({{""}, {Name(trace_.service(), trace_.method(), trace_.entity_id()), Style::kBold}, {""}});
    AddBelow(0, "");
    return table_.Format(terminal);
  }

 private:
  static std::size_t Count(int number) { return static_cast<std::size_t>(number); }

  // What does not fit is shown at the root.
  std::size_t CommandOf(const dev::v1::Step& step) const {
    return step.command() >= 0 && Count(step.command()) < entries_.size() ? Count(step.command()) : 0;
  }

  void Attach(std::size_t command, int first_step) {
    const int parent = trace_.caused(static_cast<int>(command) - 1).parent();
    const bool known = parent >= 0 && Count(parent) < command;  // so that no command stands below itself
    entries_[known ? Count(parent) : 0].push_back({Entry::What::kCommand, command});
    first_step_[command] = first_step;
  }

  void LeaveOutMany(std::vector<Entry>& entries) const {
    std::map<std::string, int> counts;
    for (const Entry& entry : entries) {
      if (entry.what == Entry::What::kStep) ++counts[Step(entry).kind()];
    }
    std::map<std::string, int> seen;
    std::vector<Entry> kept;
    for (Entry& entry : entries) {
      const std::string kind = entry.what == Entry::What::kStep ? Step(entry).kind() : "";
      const int count = kind.empty() ? 0 : counts[kind];
      const int number = kind.empty() ? 0 : ++seen[kind];
      if (count <= kFewSteps || number == 1 || number == count) {
        kept.push_back(std::move(entry));
      } else if (number == 2) {
        kept.push_back({Entry::What::kLeftOut, Count(count - 2), kind});
      }
    }
    entries = std::move(kept);
  }

  const dev::v1::Step& Step(const Entry& entry) const { return trace_.steps(static_cast<int>(entry.index)); }

  void AddBelow(std::size_t command, const std::string& indent) {
    const std::vector<Entry>& entries = entries_[command];
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const bool last = i + 1 == entries.size();
      const std::string branch = absl::StrCat(indent, last ? "└─ " : "├─ ");
      const Entry& entry = entries[i];
      switch (entry.what) {
        case Entry::What::kStep:
          AddStep(branch, Step(entry));
          break;
        case Entry::What::kLeftOut:
          table_.AddRow({{""}, {branch + "…"}, {absl::StrCat(entry.index, " more: ", entry.kind), Style::kDim}});
          break;
        case Entry::What::kCommand:
          AddCommand(branch, entry.index);
          AddBelow(entry.index, absl::StrCat(indent, last ? "   " : "│  "));
          break;
      }
    }
  }

  static std::string At(const dev::v1::Step& step) { return FormatShortDuration(admin::FromDuration(step.at())); }

  void AddStep(const std::string& branch, const dev::v1::Step& step) {
    table_.AddRow(
        {{At(step)}, {branch + step.kind(), step.kind() == "failed" ? Style::kBad : Style::kPlain}, {Describe(step)}});
  }

  void AddCommand(const std::string& branch, std::size_t command) {
    const dev::v1::CausedCommand& caused = trace_.caused(static_cast<int>(command) - 1);
    const std::string how = caused.origin() == dev::v1::CausedCommand::FORWARD ? "forward to " : "side effect ";
    const int first = first_step_[command];
    table_.AddRow(
        {{first < 0 ? "" : At(trace_.steps(first))},
         {absl::StrCat(branch, how, Name(caused.service(), caused.method(), caused.entity_id())), Style::kBold},
         {first < 0 ? "(its steps were not kept)" : Describe(trace_.steps(first))}});
  }

  const dev::v1::CommandTrace& trace_;
  std::vector<std::vector<Entry>> entries_;  // by command
  std::map<std::size_t, int> first_step_;    // of caused commands; -1 where none was kept
  Table table_{{{"AT", Table::Align::kRight}, {"CALL"}, {"WHAT"}}};
};

}  // namespace

std::string FormatCallTree(const dev::v1::CommandTrace& trace, const Terminal& terminal) {
  return Tree(trace).Format(terminal);
}

}  // namespace cloudstate::cli
