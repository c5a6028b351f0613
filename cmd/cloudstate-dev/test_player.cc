#include "cmd/cloudstate-dev/test_player.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/played_case.h"
#include "cmd/cloudstate-dev/test_caller.h"
#include "cmd/cloudstate-dev/test_emulator.h"
#include "emulator/testing/file_check.h"
#include "emulator/testing/known_types.h"

namespace cloudstate::cli {
namespace {

using dev::v1::TestFile;
using dev::v1::TestStep;
using Failed = PlayedCase::Failed;
using EmulatorStub = dev::v1::Emulator::Stub;
using TestingStub = dev::v1::Testing::Stub;

class Player final : public TestPlayer {
 public:
  explicit Player(const Addresses& addresses)
      : emulator_(addresses.admin, end_), channel_(TestChannel(addresses.client)), client_address_(addresses.client) {}

  absl::Status Learn() {
    emulator_.SetDeadline(absl::Now() + kAnswersWithin);
    auto services = emulator_.Call(&EmulatorStub::ListServices, dev::v1::ListServicesRequest());
    if (!services.ok()) return services.status();
    const auto types = emulator_.Call(&TestingStub::GetTypes, dev::v1::GetTypesRequest());
    if (!types.ok()) return types.status();
    auto known = testing::KnownTypes::Build(*std::move(services), types->file_descriptor_set());
    if (!known.ok()) return known.status();
    types_ = *std::move(known);
    caller_ = std::make_unique<TestCaller>(channel_, client_address_, *types_, end_);
    return absl::OkStatus();
  }

  absl::Status Check(const TestFile& file, const simulation::YamlPlaces& places) override {
    if (absl::Status status = testing::CheckForm(file, places); !status.ok()) return status;
    if (absl::Status status = CheckHeaders(file.before(), places); !status.ok()) return status;
    for (const dev::v1::TestCase& each : file.cases()) {
      if (absl::Status status = CheckHeaders(each.when(), places); !status.ok()) return status;
    }
    return testing::CheckNames(file, places, *types_);
  }

  testing::CaseResult Play(const TestFile& file, const simulation::YamlPlaces& places, int index,
                           absl::Duration timeout) override {
    const dev::v1::TestCase& test_case = file.cases(index);
    testing::CaseResult result;
    result.name = test_case.name();
    result.line = places.Of(test_case).line;
    if (!test_case.skip().empty()) {
      result.outcome = testing::Outcome::kSkipped;
      result.reason = test_case.skip();
      return result;
    }
    const absl::Time start = absl::Now();
    emulator_.SetDeadline(start + timeout);
    Failed failed;
    if (!end_.interrupted()) {
      failed = PlayedCase(emulator_, *caller_, *types_, file, places, test_case).Play(result.covered);
    }
    result.took = absl::Now() - start;
    if (end_.interrupted()) {
      result.outcome = testing::Outcome::kNotRun;
      result.reason = "interrupted";
    } else if (failed) {
      result.outcome = testing::Outcome::kFailed;
      result.failure = *std::move(failed);
      if (result.took >= timeout)
        absl::StrAppend(&result.failure.problem, "\nThe case took longer than --timeout allows.");
    }
    return result;
  }

  absl::Status Give(const TestFile& file, const simulation::YamlPlaces& places, int index) override {
    emulator_.SetDeadline(absl::Now() + kAnswersWithin);
    const Failed failed = PlayedCase(emulator_, *caller_, *types_, file, places, file.cases(index)).Give();
    if (!failed) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(failed->place, ": ", failed->problem));
  }

  Failed PlayStep(const TestFile& file, const simulation::YamlPlaces& places, int index, const TestStep& step,
                  absl::Duration timeout) override {
    emulator_.SetDeadline(absl::Now() + timeout);
    return PlayedCase(emulator_, *caller_, *types_, file, places, file.cases(index)).PlayAlone(step);
  }

  void Interrupt() override { end_.Interrupt(); }

  const dev::v1::ListServicesResponse& services() const override { return types_->services(); }

 private:
  static constexpr absl::Duration kAnswersWithin = absl::Seconds(10);

  static absl::Status CheckHeaders(const google::protobuf::RepeatedPtrField<TestStep>& steps,
                                   const simulation::YamlPlaces& places) {
    for (const TestStep& each : steps) {
      const absl::Status status = TestCaller::CheckHeaders(each);
      if (status.ok()) continue;
      return places.Error(places.Of(each, TestStep::kHeadersFieldNumber), std::string(status.message()));
    }
    return absl::OkStatus();
  }

  CallEnd end_;
  TestEmulator emulator_;
  std::shared_ptr<grpc::Channel> channel_;
  std::string client_address_;
  std::unique_ptr<testing::KnownTypes> types_;
  std::unique_ptr<TestCaller> caller_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TestPlayer>> TestPlayer::Connect(const Addresses& addresses) {
  auto player = std::make_unique<Player>(addresses);
  if (absl::Status status = player->Learn(); !status.ok()) return status;
  return std::unique_ptr<TestPlayer>(std::move(player));
}

}  // namespace cloudstate::cli
