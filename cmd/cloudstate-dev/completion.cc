#include "cmd/cloudstate-dev/completion.h"

#include <map>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {
namespace {

// A word that may come next, and what it is.
struct Word {
  std::string text;
  std::string description;
};

struct Node {
  std::string path;  // "" for the root, " journal ls"
  std::vector<Word> commands;
  std::vector<Word> options;
};

std::vector<Word> CompletionOptions(const CLI::App& app) {
  std::vector<Word> words;
  for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
    for (const std::string& name : option->get_lnames()) words.push_back({"--" + name, option->get_description()});
  }
  return words;
}

void Collect(const CLI::App& app, const std::string& path, const std::vector<Word>& everywhere,
             std::vector<Node>& nodes) {
  Node node{path, {}, CompletionOptions(app)};
  if (!path.empty()) {
    for (const Word& word : everywhere) {
      if (word.text != "--help" && word.text != "--version") node.options.push_back(word);
    }
  }
  const std::vector<const CLI::App*> commands = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* command : commands) node.commands.push_back({command->get_name(), command->get_description()});
  nodes.push_back(std::move(node));
  for (const CLI::App* command : commands) {
    Collect(*command, absl::StrCat(path, " ", command->get_name()), everywhere, nodes);
  }
}

std::string Texts(const std::vector<Word>& words) {
  return absl::StrJoin(words, " ", [](std::string* out, const Word& word) { out->append(word.text); });
}

// The loop that finds the command among the words before the one to complete, the same in bash and zsh.
std::string FindPath(const std::vector<Node>& nodes) {
  std::vector<std::string> patterns;
  for (const Node& node : nodes) {
    if (!node.path.empty()) patterns.push_back(absl::StrCat("\"", node.path, "\""));
  }
  return absl::StrCat("    case \"$path_so_far $word\" in\n      ", absl::StrJoin(patterns, "|"),
                      ") path_so_far=\"$path_so_far $word\" ;;\n    esac\n");
}

// CompletionOptions are offered once a dash is there, commands before, files where a command has no subcommands.
std::string Cases(const std::vector<Node>& nodes) {
  std::string cases = "  case \"$path_so_far\" in\n";
  for (const Node& node : nodes) {
    absl::StrAppend(&cases, "    \"", node.path, "\") commands=\"", Texts(node.commands), "\" options=\"",
                    Texts(node.options), "\" ;;\n");
  }
  return cases + "  esac\n";
}

std::string BashScript(const std::vector<Node>& nodes) {
  return absl::StrCat(
      "# bash completion for cloudstate-dev: source <(cloudstate-dev completion bash)\n",
      "_cloudstate_dev() {\n  local current=\"${COMP_WORDS[COMP_CWORD]}\" path_so_far=\"\" word commands options\n",
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n    [ \"$word\" = -- ] && return\n", FindPath(nodes),
      "  done\n", Cases(nodes),
      "  case \"$current\" in\n    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$current\")) ;;\n"
      "    *) COMPREPLY=($(compgen -W \"$commands\" -- \"$current\")) ;;\n  esac\n}\n"
      "complete -o default -F _cloudstate_dev cloudstate-dev\n");
}

std::string ZshScript(const std::vector<Node>& nodes) {
  return absl::StrCat(
      "#compdef cloudstate-dev\n# zsh completion for cloudstate-dev: source <(cloudstate-dev completion zsh)\n",
      "_cloudstate_dev() {\n  local path_so_far=\"\" word commands options\n",
      "  for word in \"${(@)words[2,CURRENT-1]}\"; do\n    [ \"$word\" = -- ] && return\n", FindPath(nodes), "  done\n",
      Cases(nodes),
      "  if [[ \"${words[CURRENT]}\" == -* ]]; then\n    compadd -- ${=options}\n"
      "  elif [[ -n \"$commands\" ]]; then\n    compadd -- ${=commands}\n  else\n    _files\n  fi\n}\n"
      "compdef _cloudstate_dev cloudstate-dev\n");
}

std::string FishQuoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

std::string FishScript(const std::vector<Node>& nodes) {
  std::vector<std::string> patterns;
  for (const Node& node : nodes) {
    if (!node.path.empty()) patterns.push_back(FishQuoted(node.path));
  }
  std::string script = absl::StrCat(
      "# fish completion for cloudstate-dev: cloudstate-dev completion fish | source\n"
      "function __cloudstate_dev_at\n  set -l path_so_far ''\n  for word in (commandline -opc)[2..-1]\n"
      "    switch \"$path_so_far $word\"\n      case ",
      absl::StrJoin(patterns, " "),
      "\n        set path_so_far \"$path_so_far $word\"\n    end\n  end\n  test \"$path_so_far\" = "
      "\"$argv[1]\"\nend\n");
  for (const Node& node : nodes) {
    const std::string here =
        absl::StrCat("complete -c cloudstate-dev -n \"__cloudstate_dev_at ", FishQuoted(node.path), "\" ");
    for (const Word& word : node.commands) {
      absl::StrAppend(&script, here, "-f -a ", word.text, " -d ", FishQuoted(word.description), "\n");
    }
    for (const Word& word : node.options) {
      absl::StrAppend(&script, here, "-l ", word.text.substr(2), " -d ", FishQuoted(word.description), "\n");
    }
  }
  return script;
}

}  // namespace

std::string CompletionScript(const CLI::App& root, Shell shell) {
  std::vector<Node> nodes;
  Collect(root, "", CompletionOptions(root), nodes);
  switch (shell) {
    case Shell::kBash:
      return BashScript(nodes);
    case Shell::kZsh:
      return ZshScript(nodes);
    case Shell::kFish:
      return FishScript(nodes);
  }
  return "";
}

void AddCompletion(CLI::App& root, Invocation& invocation) {
  const std::map<std::string, Shell> shells = {{"bash", Shell::kBash}, {"zsh", Shell::kZsh}, {"fish", Shell::kFish}};
  auto shell = std::make_shared<Shell>(Shell::kBash);
  CLI::App* command = Command(root, "completion", "Print a script that makes a shell complete commands and options",
                              "  source <(cloudstate-dev completion bash)\n"
                              "  cloudstate-dev completion fish > ~/.config/fish/completions/cloudstate-dev.fish");
  command->group(kHelpGroup);
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->transform(CLI::CheckedTransformer(shells).description(""));
  command->callback([&root, &invocation, shell] {
    invocation.action = [&root, shell]() -> int {
      Print(CompletionScript(root, *shell));
      return kOk;
    };
  });
}

}  // namespace cloudstate::cli
