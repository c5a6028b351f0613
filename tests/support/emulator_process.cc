#include "tests/support/emulator_process.h"

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace cloudstate::support {
namespace {

std::string TextOf(const google::protobuf::Value& value) {
  if (value.has_string_value()) return value.string_value();
  if (value.has_number_value()) return absl::StrCat(value.number_value());
  return value.ShortDebugString();
}

// Whole lines only: the last one may still be on its way.
std::vector<EmulatorEvent> EventsIn(const std::string& output, const std::string& name) {
  std::vector<EmulatorEvent> events;
  std::vector<std::string> lines = absl::StrSplit(output, '\n');
  lines.pop_back();
  for (const std::string& line : lines) {
    google::protobuf::Struct fields;
    if (!google::protobuf::util::JsonStringToMessage(line, &fields).ok()) continue;
    EmulatorEvent event;
    for (const auto& [field, value] : fields.fields()) event[field] = TextOf(value);
    if (event["event"] == name) events.push_back(std::move(event));
  }
  return events;
}

}  // namespace

EmulatorProcess::EmulatorProcess(Options options) : options_(std::move(options)) { StartAgain(); }

void EmulatorProcess::StartAgain() {
  std::vector<std::string> arguments = {"--json",       "--data-dir", data_directory_,  "run", "--port", "0",
                                        "--admin-port", "0",          "--metrics-port", "0"};
  arguments.insert(arguments.end(), options_.arguments.begin(), options_.arguments.end());
  if (options_.program.empty()) {
    process_ = StartTool(std::move(arguments), options_.environment);
  } else {
    arguments.insert(arguments.begin(), options_.program);
    process_ = ChildProcess::Start(std::move(arguments), options_.environment);
  }
}

bool EmulatorProcess::WaitUntilStarted() {
  return WaitForEvent("started", [](const EmulatorEvent&) { return true; });
}

bool EmulatorProcess::WaitUntilReady(int times) {
  return process_->WaitUntil([times](const std::string& output, const std::string&) {
    return EventsIn(output, "ready").size() >= static_cast<std::size_t>(times);
  });
}

std::vector<EmulatorEvent> EmulatorProcess::events(const std::string& name) const {
  return EventsIn(process_->output(), name);
}

bool EmulatorProcess::WaitForEvent(const std::string& name, const std::function<bool(const EmulatorEvent&)>& fits,
                                   absl::Duration timeout) const {
  return process_->WaitUntil(
      [&](const std::string& output, const std::string&) {
        const std::vector<EmulatorEvent> events = EventsIn(output, name);
        return std::ranges::any_of(events, std::ref(fits));
      },
      timeout);
}

int EmulatorProcess::Stop() {
  process_->Signal(SIGTERM);
  return process_->WaitForExit();
}

void EmulatorProcess::Kill() {
  process_->Signal(SIGKILL);
  process_->WaitForExit();
}

std::string EmulatorProcess::Address(const std::string& field) const {
  const std::vector<EmulatorEvent> started = events("started");
  return started.empty() ? "" : started.front().at(field);
}

std::string EmulatorProgram() {
  const char* other = std::getenv("EMULATOR_UNDER_TEST");
  return other == nullptr ? CLOUDSTATE_DEV : other;
}

std::unique_ptr<ChildProcess> StartTool(std::vector<std::string> arguments,
                                        const std::map<std::string, std::string>& environment) {
  arguments.insert(arguments.begin(), EmulatorProgram());
  return ChildProcess::Start(arguments, environment);
}

ToolResult RunTool(std::vector<std::string> arguments, const std::map<std::string, std::string>& environment) {
  auto tool = StartTool(std::move(arguments), environment);
  ToolResult result;
  result.exit_code = tool->WaitForExit();
  result.output = tool->output();
  result.errors = tool->errors();
  return result;
}

}  // namespace cloudstate::support
