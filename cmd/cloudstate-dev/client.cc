#include "cmd/cloudstate-dev/client.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/journal/directory_lock.h"
#include "emulator/runtime/node_ports.h"
#include "emulator/runtime/settings.h"

namespace cloudstate::cli {
namespace {

constexpr std::chrono::seconds kAnswersWithin(3);

// A port that nobody listens on refuses at once: that is not waited for.
bool Connects(grpc::Channel& channel) {
  const auto deadline = std::chrono::system_clock::now() + kAnswersWithin;
  for (auto state = channel.GetState(true); state != GRPC_CHANNEL_READY; state = channel.GetState(true)) {
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || !channel.WaitForStateChange(state, deadline)) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<std::optional<std::string>> FindEmulator(const Settings& settings) {
  if (!settings.admin.empty()) return settings.admin;
  absl::StatusOr<std::optional<journal::LockHolder>> holder = journal::ReadLock(settings.data_directory);
  if (!holder.ok()) return holder.status();
  if (!holder->has_value() || (*holder)->addresses.admin.empty()) return std::nullopt;
  return (*holder)->addresses.admin;
}

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(-1);
  auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  if (!Connects(*channel)) {
    return absl::UnavailableError(absl::StrCat("No emulator answers at ", address,
                                               ". Start one with `cloudstate-dev run`, or name another with --admin."));
  }
  return std::unique_ptr<Client>(new Client(address, channel));
}

absl::StatusOr<std::unique_ptr<Client>> Client::ConnectToAny(const Settings& settings) {
  absl::StatusOr<std::optional<std::string>> found = FindEmulator(settings);
  if (!found.ok()) return found.status();
  if (found->has_value()) return Connect(**found);
  const runtime::Settings defaults;
  const std::string usual = runtime::Address(defaults.admin_listen, defaults.admin_port);
  absl::StatusOr<std::unique_ptr<Client>> client = Connect(usual);
  if (client.ok()) return client;
  return absl::UnavailableError(
      absl::StrCat("No emulator runs here: none holds ", settings.data_directory, " and none answers at ", usual,
                   ". Start one with `cloudstate-dev run`, or name another with --admin or --data-dir."));
}

absl::Status Client::Failure(const grpc::Status& status) const {
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
    return absl::UnimplementedError(absl::StrCat(
        "What answers at ", address_, " is no emulator's admin port, or of another version: ", status.error_message()));
  }
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    return absl::UnavailableError(absl::StrCat("The emulator at ", address_, " says: ", status.error_message(),
                                               ". `cloudstate-dev status` tells whether it still runs."));
  }
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

}  // namespace cloudstate::cli
