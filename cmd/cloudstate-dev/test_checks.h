#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/testfile.pb.h"
#include "cmd/cloudstate-dev/test_emulator.h"
#include "emulator/simulation/yaml_message.h"
#include "emulator/testing/known_types.h"
#include "emulator/testing/outcome_check.h"

namespace cloudstate::cli {

// What must hold at the end of a case, asked of its emulator. For one thread.
class EndChecks {
 public:
  using Failed = std::optional<testing::CaseFailure>;

  // All outlive this.
  EndChecks(TestEmulator& emulator, const testing::KnownTypes& types, const dev::v1::TestFile& file,
            const simulation::YamlPlaces& places)
      : emulator_(emulator), types_(types), file_(file), places_(places), check_(file, places, types) {}

  // Once nothing is under way any more, if that comes soon: the first thing that does not hold.
  Failed Check(const dev::v1::TestCase& test_case);

 private:
  Failed Check(const dev::v1::TestCheck& check);
  Failed CheckComplaints(const dev::v1::TestCheck& check);
  Failed CheckEvents(const dev::v1::TestCheck& check, const dev::v1::Service& service);
  Failed CheckState(const dev::v1::TestCheck& check, const dev::v1::Service& service);
  Failed CheckCrdt(const dev::v1::TestCheck& check, const dev::v1::Service& service);
  Failed CheckSnapshot(const dev::v1::TestCheck& check, const dev::v1::Service& service);
  Failed CheckReplay(const dev::v1::TestCheck& check, const dev::v1::Service& service);
  absl::StatusOr<std::vector<dev::v1::Payload>> StoredPayloads(const dev::v1::Service& service,
                                                               const std::string& entity);
  Failed FailedAt(const google::protobuf::Message& message, int field, const absl::Status& status) const {
    if (status.ok()) return std::nullopt;
    return check_.Failure(message, field, std::string(status.message()));
  }

  TestEmulator& emulator_;
  const testing::KnownTypes& types_;
  const dev::v1::TestFile& file_;
  const simulation::YamlPlaces& places_;
  const testing::OutcomeCheck check_;
};

}  // namespace cloudstate::cli
