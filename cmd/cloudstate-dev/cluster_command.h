#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "cloudstate/dev/v1/cluster.pb.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/command_line.h"

namespace cloudstate::cli {

// Makes `command` do `action` with the running emulator. Returns the exit code. `check` comes before it, and throws
// CLI::ValidationError where the options do not go together.
using ClusterAction = std::function<int(Client&, const Settings&)>;
void SetClusterAction(CLI::App& command, Invocation& invocation, ClusterAction action,
                      std::function<void()> check = nullptr);

// A required argument: a node's number.
void AddNodeArgument(CLI::App& command, std::int32_t& node);
// An option, or another argument, that is a node's number.
CLI::Option* AddNode(CLI::App& command, const std::string& flags, std::int32_t& node, const std::string& description);

// An option whose value `parse` understands, such as those of cluster_values.h.
template <class Value>
CLI::Option* AddParsed(CLI::App& command, const std::string& flags, Value& value,
                       absl::StatusOr<Value> (*parse)(const std::string&), const std::string& description) {
  return command.add_option_function<std::string>(
      flags,
      [&value, parse, flags](const std::string& text) {
        absl::StatusOr<Value> parsed = parse(text);
        if (!parsed.ok()) throw CLI::ValidationError(flags, std::string(parsed.status().message()));
        value = *std::move(parsed);
      },
      description);
}

// Makes the emulator do this, and prints what has begun, and what to look at `next`.
int SteerCluster(Client& client, const Settings& settings, const dev::v1::Steering& steering, const std::string& next);

}  // namespace cloudstate::cli
