#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "cmd/cloudstate-dev/commands.h"

namespace cloudstate::cli {

// The whole tree of commands. Both outlive each other's use: parsing `root` fills in `invocation`.
void BuildCommands(CLI::App& root, Invocation& invocation);

// An option that may also come from an environment variable or, by its name without dashes, from the file that --config
// names. Flags win over the environment, the environment over the file.
template <typename Value>
CLI::Option* Setting(CLI::App& app, const std::string& flags, const std::string& variable, Value& value,
                     const std::string& description) {
  return app.add_option(flags, value, description)->envname(variable)->capture_default_str();
}

// The same for a time such as 500ms, 30s or 2m, which must be more than none, and no more than `most`. `variable` may
// be empty.
CLI::Option* DurationSetting(CLI::App& app, const std::string& flags, const std::string& variable,
                             absl::Duration& value, const std::string& description,
                             absl::Duration most = absl::InfiniteDuration());

// "HOST:PORT", where an IPv6 host has brackets, which are left out of `host`. Nothing for a text that is none.
struct HostAndPort {
  std::string host;
  std::uint16_t port = 0;
};
std::optional<HostAndPort> ParseHostAndPort(const std::string& text);

// The command that `parent` offers as `name`.
CLI::App* Command(CLI::App& parent, const std::string& name, const std::string& description,
                  const std::string& examples);

// Parses and runs. Returns the exit code.
int RunCommandLine(int argc, const char* const* argv);

}  // namespace cloudstate::cli
