#include "cmd/cloudstate-dev/doctor_checks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cloudstate/entity.grpc.pb.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "cmd/cloudstate-dev/version.h"
#include "emulator/journal/integrity.h"
#include "emulator/journal/sqlite_journal.h"
#include "emulator/serving/port_holder.h"
#include "emulator/userfunction/specification.h"
#include "grpcpp/grpcpp.h"

namespace cloudstate::cli {
namespace {

constexpr std::uint64_t kMebibyte = 1024 * 1024;
constexpr rlim_t kFewFiles = 1'024;
constexpr std::chrono::seconds kUserFunctionAnswersWithin(3);

// The directory itself, or where it will be made.
std::filesystem::path NearestExisting(const std::string& directory) {
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(directory, error);
  while (!std::filesystem::exists(path, error) && path.has_relative_path()) path = path.parent_path();
  return path;
}

// 0 if a socket can listen on the port of the loopback interface; otherwise why not.
int ErrorOfListening(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int error = 0;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(fd, 1) != 0) error = errno;
  close(fd);
  return error;
}

ProxyInfo MakeProxyInfo() {
  ProxyInfo info;
  info.set_protocol_major_version(0);
  info.set_protocol_minor_version(2);
  info.set_proxy_name("cloudstate-dev doctor");
  info.set_proxy_version(Version());
  for (const std::string& type : userfunction::SupportedEntityTypes()) info.add_supported_entity_types(type);
  return info;
}

Check JudgeSpecification(const EntitySpec& spec, const std::string& address) {
  auto specification = userfunction::ParseSpecification(spec, std::nullopt, userfunction::VersionCheck::kOn);
  if (!specification.ok()) {
    return {
        Verdict::kFailed, "user function",
        absl::StrCat(address, " answers, but what it declares can't be served: ", specification.status().message())};
  }
  std::vector<std::string> names;
  for (const auto* service : (*specification)->SortedServices()) names.push_back(service->full_name());
  return {Verdict::kOk, "user function", absl::StrCat(address, " declares ", absl::StrJoin(names, ", "))};
}

}  // namespace

std::optional<journal::LockHolder> FindLockHolder(const std::string& directory) {
  return journal::ReadLock(directory).value_or(std::nullopt);
}

Check CheckDataDirectory(const std::string& directory) {
  absl::StatusOr<std::optional<journal::LockHolder>> holder = journal::ReadLock(directory);
  if (!holder.ok()) return {Verdict::kFailed, "data directory", std::string(holder.status().message())};
  if (holder->has_value()) {
    return {Verdict::kOk, "data directory", absl::StrCat("an emulator with pid ", (*holder)->pid, " has ", directory)};
  }
  const std::filesystem::path existing = NearestExisting(directory);
  if (access(existing.c_str(), W_OK | X_OK) != 0) {
    return {
        Verdict::kFailed, "data directory",
        absl::StrCat(existing.string(), " can't be written. Change its permissions or name another with --data-dir.")};
  }
  std::error_code error;
  return {Verdict::kOk, "data directory",
          std::filesystem::exists(directory, error) ? absl::StrCat(directory, " is free to use")
                                                    : absl::StrCat(directory, " is made by the first run")};
}

Check CheckJournal(const std::string& directory) {
  absl::StatusOr<journal::IntegrityReport> report = journal::CheckIntegrity(journal::JournalFileIn(directory));
  if (absl::IsNotFound(report.status())) return {Verdict::kOk, "journal", "none yet"};
  if (!report.ok()) return {Verdict::kFailed, "journal", std::string(report.status().message())};
  if (!report->problems.empty()) return {Verdict::kFailed, "journal", absl::StrJoin(report->problems, " ")};
  return {Verdict::kOk, "journal",
          absl::StrCat("sound: ", Counted(report->entities, "entity"), ", ", Counted(report->events, "event"), ", ",
                       Counted(report->snapshots, "snapshot"))};
}

Check CheckFreeDisk(const std::string& directory) {
  const std::filesystem::path existing = NearestExisting(directory);
  struct statvfs disk {};
  if (statvfs(existing.c_str(), &disk) != 0) {
    return {Verdict::kWarning, "disk", absl::StrCat(existing.string(), " can't be looked at: ", std::strerror(errno))};
  }
  const std::uint64_t free = disk.f_bavail * disk.f_frsize / kMebibyte;
  const std::string finding = absl::StrCat(free, " MiB free at ", existing.string());
  if (free < 100) return {Verdict::kFailed, "disk", finding + ". Make room, or name another place with --data-dir."};
  if (free < 1'024) return {Verdict::kWarning, "disk", finding + ". Make room before it is full."};
  return {Verdict::kOk, "disk", finding};
}

Check CheckPort(std::uint16_t port, const std::string& purpose, const std::optional<journal::LockHolder>& holder) {
  const std::string subject = absl::StrCat("port ", port);
  const int error = ErrorOfListening(port);
  if (error == 0) return {Verdict::kOk, subject, absl::StrCat("free for ", purpose)};
  if (error != EADDRINUSE) {
    return {Verdict::kFailed, subject, absl::StrCat("can't be listened on for ", purpose, ": ", std::strerror(error))};
  }
  const std::string who = serving::DescribePortHolder(port);
  if (holder && absl::StrContains(who, absl::StrCat("pid ", holder->pid, ")"))) {
    return {Verdict::kOk, subject, absl::StrCat("the emulator's, for ", purpose)};
  }
  return {Verdict::kWarning, subject,
          absl::StrCat("taken by ", who.empty() ? "another process" : who, "; `run` needs it for ", purpose,
                       ". Stop that, or choose another port: see `cloudstate-dev run --help`.")};
}

Check CheckUserFunction(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + kUserFunctionAnswersWithin)) {
    return {
        Verdict::kWarning, "user function",
        absl::StrCat("nothing answers gRPC at ", address,
                     ". Start yours, name it with --user-function, or let `cloudstate-dev run -- COMMAND` start it.")};
  }
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kUserFunctionAnswersWithin);
  EntitySpec spec;
  const grpc::Status status = EntityDiscovery::NewStub(channel)->discover(&context, MakeProxyInfo(), &spec);
  if (status.ok()) return JudgeSpecification(spec, address);
  return {Verdict::kFailed, "user function",
          absl::StrCat(address, " answers, but not to discovery: ", status.error_message(),
                       ". Is it a Cloudstate user function?")};
}

Check CheckOpenFiles() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return {Verdict::kWarning, "open files", std::strerror(errno)};
  const std::string finding =
      limit.rlim_cur == RLIM_INFINITY ? "no limit" : absl::StrCat("at most ", limit.rlim_cur, " at a time");
  if (limit.rlim_cur >= kFewFiles) return {Verdict::kOk, "open files", finding};
  return {Verdict::kWarning, "open files", finding + ". Each connection takes one: raise it with `ulimit -n 4096`."};
}

}  // namespace cloudstate::cli
