#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/cluster/membership.h"
#include "emulator/journal/sqlite_journal.h"
#include "emulator/routing/router.h"
#include "emulator/scaling/settings.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::runtime {

// How one emulator is to run. The defaults are the published proxy's, but for the addresses: ours are on loopback.
struct Settings {
  std::string version;
  std::string commit;
  dev::v1::Settings told;  // the same as people gave them, for those who ask

  std::string listen = "127.0.0.1";
  std::uint16_t port = 9000;                 // 0: any free one, here and below
  std::vector<std::string> allowed_origins;  // whose web pages may call, besides loopback's; as serving::IsOrigin
  std::string admin_listen = "127.0.0.1";
  std::uint16_t admin_port = 9001;
  bool read_only = false;    // the admin port changes nothing
  bool allow_reset = false;  // the admin port may take away all that is stored; always so where nothing is kept
  std::string metrics_listen = "127.0.0.1";
  std::uint16_t metrics_port = 9090;

  std::size_t nodes = 1;  // simulated ones, at the start
  scaling::Settings scaling;
  std::uint16_t node_port = 0;  // of the first node alone, where there are several; the others' follow it
  cluster::Membership::Options membership;
  absl::Duration rebalance_interval = absl::Seconds(2);

  std::string user_function_host = "127.0.0.1";
  std::uint16_t user_function_port = 8080;
  std::vector<std::string> command;  // starts the user function; empty: somebody else does
  std::string watch_directory;       // restart it when something below changes; empty: don't

  std::string data_directory = ".cloudstate-dev";
  std::vector<std::string> descriptor_sets;  // serialized; types besides those that the user function reports
  journal::Durability durability = journal::Durability::kFull;

  entities::Limits limits;
  std::size_t max_active_entities = 0;
  std::size_t max_message_bytes = 12 << 20;
  routing::EntityMetadata entity_metadata = routing::EntityMetadata::kWithhold;
  std::optional<userfunction::Dialect> dialect;
  userfunction::VersionCheck version_check = userfunction::VersionCheck::kOn;
  std::size_t kept_traces = 1000;
  absl::Duration termination_grace = absl::Seconds(10);
};

}  // namespace cloudstate::runtime
