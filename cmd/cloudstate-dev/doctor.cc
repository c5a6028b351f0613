#include <algorithm>
#include <functional>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/doctor_checks.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "cmd/cloudstate-dev/version.h"
#include "emulator/runtime/node_ports.h"
#include "emulator/runtime/settings.h"

namespace cloudstate::cli {
namespace {

struct DoctorOptions {
  std::string user_function;  // HOST:PORT; empty for the running emulator's, or else the default
};

struct Label {
  const char* text;
  Style style;
};

Label LabelOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return {"ok", Style::kGood};
    case Verdict::kWarning:
      return {"warn", Style::kWarning};
    case Verdict::kFailed:
      return {"fail", Style::kBad};
  }
  return {"fail", Style::kBad};
}

std::string Format(const Check& check, const Terminal& terminal) {
  const Label label = LabelOf(check.verdict);
  auto padded = [](std::string text, std::size_t width) {
    return text.append(width - std::min(width, text.size()), ' ');
  };
  return absl::StrCat(Styled(padded(label.text, 6), label.style, terminal), padded(check.subject, 16),
                      Printable(check.finding), "\n");
}

std::string FormatJson(const std::vector<Check>& checks) {
  const std::string all = absl::StrJoin(checks, ",", [](std::string* out, const Check& check) {
    absl::StrAppend(out, "{\"verdict\":", JsonString(LabelOf(check.verdict).text),
                    ",\"subject\":", JsonString(check.subject), ",\"finding\":", JsonString(check.finding), "}");
  });
  return absl::StrCat("{\"checks\":[", all, "]}\n");
}

// What the running emulator says of its user function.
Check AskForUserFunction(const std::string& admin) {
  const absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(admin);
  if (!client.ok()) return {Verdict::kFailed, "user function", std::string(client.status().message())};
  const absl::StatusOr<dev::v1::Status> status = (*client)->Call(&Client::Stub::GetStatus, dev::v1::GetStatusRequest());
  if (!status.ok()) return {Verdict::kFailed, "user function", std::string(status.status().message())};
  const dev::v1::UserFunction& user_function = status->user_function();
  if (user_function.state() == dev::v1::UserFunction::READY) {
    return {Verdict::kOk, "user function", absl::StrCat("ready at ", user_function.address())};
  }
  return {Verdict::kWarning, "user function",
          absl::StrCat("not ready at ", user_function.address(), ": ", user_function.problem())};
}

int Run(const Settings& settings, const DoctorOptions& options) {
  const runtime::Settings usual;
  const std::string& directory = settings.data_directory;
  const std::optional<journal::LockHolder> holder = FindLockHolder(directory);
  const std::vector<std::function<Check()>> all = {
      [] {
        return Check{Verdict::kOk, "version", absl::StrCat("cloudstate-dev ", Version(), " (", Commit(), ")")};
      },
      [&] { return CheckDataDirectory(directory); },
      [&] { return CheckJournal(directory); },
      [&] { return CheckFreeDisk(directory); },
      [&] { return CheckPort(usual.port, "clients", holder); },
      [&] { return CheckPort(usual.admin_port, "admin", holder); },
      [&] { return CheckPort(usual.metrics_port, "metrics", holder); },
      [&] {
        if (!options.user_function.empty()) return CheckUserFunction(options.user_function);
        if (holder.has_value()) return AskForUserFunction(holder->addresses.admin);
        return CheckUserFunction(runtime::Address(usual.user_function_host, usual.user_function_port));
      },
      [] { return CheckOpenFiles(); },
  };
  const Terminal terminal = StandardOutput();
  std::vector<Check> checks;
  for (const std::function<Check()>& check : all) {
    checks.push_back(check());
    if (!settings.json) Print(Format(checks.back(), terminal));
  }
  if (settings.json) Print(FormatJson(checks));
  const bool failed =
      std::any_of(checks.begin(), checks.end(), [](const Check& check) { return check.verdict == Verdict::kFailed; });
  return failed ? kFailed : kOk;
}

}  // namespace

void AddDoctor(CLI::App& root, Invocation& invocation) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* command = Command(root, "doctor", "Check what an emulator needs, and say what to do",
                              "  cloudstate-dev doctor\n"
                              "  cloudstate-dev doctor --user-function 127.0.0.1:8081");
  command->group(kHelpGroup);
  Setting(*command, "--user-function", "CLOUDSTATE_DEV_USER_FUNCTION", options->user_function,
          "Where the user function listens; the running emulator's, or else 127.0.0.1:8080")
      ->type_name("HOST:PORT");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return Run(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
