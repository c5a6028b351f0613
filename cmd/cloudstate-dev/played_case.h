#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cloudstate/dev/v1/testfile.pb.h"
#include "cmd/cloudstate-dev/test_caller.h"
#include "cmd/cloudstate-dev/test_emulator.h"
#include "emulator/simulation/yaml_message.h"
#include "emulator/testing/known_types.h"
#include "emulator/testing/outcome_check.h"

namespace cloudstate::cli {

// One case of a test file and what it is played with. For one thread.
class PlayedCase {
 public:
  using Failed = std::optional<testing::CaseFailure>;

  // All outlive this. The emulator's deadline is the case's.
  PlayedCase(TestEmulator& emulator, TestCaller& caller, const testing::KnownTypes& types,
             const dev::v1::TestFile& file, const simulation::YamlPlaces& places, const dev::v1::TestCase& test_case)
      : emulator_(emulator),
        caller_(caller),
        types_(types),
        file_(file),
        places_(places),
        case_(test_case),
        check_(file, places, types),
        deadline_(emulator.deadline()) {}

  // From its reset to its last check.
  Failed Play(testing::Covered& covered);
  // Stores what is given.
  Failed Give();
  // One step, without what comes before it.
  Failed PlayAlone(const dev::v1::TestStep& step);

 private:
  // What is looked at afterwards has a little time even where the case has none left.
  void LetLook();
  // Whether it is the end of the case's time that this tells of.
  bool RanOut(const absl::Status& status) const;
  Failed FailedAt(const google::protobuf::Message& message, int field, const absl::Status& status) const;

  Failed Begin();
  absl::Status AddGiven(const dev::v1::GivenEntity& given, dev::v1::SeedRequest& request);
  absl::Status SetSeeded(const testing::Json& value, dev::v1::SeededMessage& seeded);

  Failed Step(const dev::v1::TestStep& step);
  template <class Method, class Request>
  Failed Done(const dev::v1::TestStep& step, Method method, const Request& request);
  absl::Status Evict(const std::string& text);
  Failed CallStep(const dev::v1::TestStep& step);
  // A call that has taken all the time that the case had left.
  Failed Late(const dev::v1::TestStep& step, int field, std::size_t before, absl::Duration took);
  // What the call has done: its trace, and the events that stand for it.
  absl::Status LookFor(const dev::v1::TestStep& step, std::size_t before, std::size_t events_before,
                       testing::CallOutcome& outcome);
  // Whether the step tells all that there is of something, which may be nothing.
  bool LooksAtAll(const dev::v1::TestStep& step) const;
  // By the id that an HTTP answer has; of a call by gRPC it is the one of its method that began last.
  const dev::v1::CommandTrace* FindTrace(std::size_t before, const testing::CallOutcome& outcome) const;

  // What it has reached.
  void Cover();

  TestEmulator& emulator_;
  TestCaller& caller_;
  const testing::KnownTypes& types_;
  const dev::v1::TestFile& file_;
  const simulation::YamlPlaces& places_;
  const dev::v1::TestCase& case_;
  const testing::OutcomeCheck check_;
  const absl::Time deadline_;  // of the case
  testing::Covered covered_;
};

}  // namespace cloudstate::cli
