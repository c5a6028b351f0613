#include "cmd/cloudstate-dev/version.h"

#include <spdlog/version.h>
#include <sqlite3.h>

#include <boost/version.hpp>

#include "CLI/Version.hpp"
#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "build_version.h"
#include "google/protobuf/stubs/common.h"
#include "grpcpp/grpcpp.h"

namespace cloudstate::cli {

std::string Version() { return CLOUDSTATE_VERSION; }

std::string Commit() { return CLOUDSTATE_COMMIT; }

std::string VersionText() {
  return absl::StrCat("cloudstate-dev ", Version(), " (commit ", Commit(),
                      ")\nCloudstate protocol 0.1 and 0.2\nwith gRPC ", grpc::Version(), ", protobuf ",
                      google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION), ", SQLite ",
                      sqlite3_libversion(), ", Boost ", absl::StrReplaceAll(BOOST_LIB_VERSION, {{"_", "."}}),
                      ", abseil ", ABSL_LTS_RELEASE_VERSION, ".", ABSL_LTS_RELEASE_PATCH_LEVEL, ", spdlog ",
                      SPDLOG_VER_MAJOR, ".", SPDLOG_VER_MINOR, ".", SPDLOG_VER_PATCH, ", CLI11 ", CLI11_VERSION);
}

}  // namespace cloudstate::cli
