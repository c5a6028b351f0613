#pragma once

#include <string>

namespace CLI {
class App;
}

namespace cloudstate::cli {

enum class Shell { kBash, kZsh, kFish };

// A script that makes the shell complete the commands and options of `root`.
std::string CompletionScript(const CLI::App& root, Shell shell);

}  // namespace cloudstate::cli
