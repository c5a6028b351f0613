#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cloudstate/dev/v1/testfile.pb.h"
#include "emulator/simulation/yaml_message.h"
#include "emulator/testing/case_result.h"
#include "emulator/testing/known_types.h"
#include "emulator/testing/typed_comparison.h"

namespace cloudstate::testing {

// What came of a call.
struct CallOutcome {
  std::string call;  // as people call it: "ShoppingCart.AddItem", "GET /carts/me"
  int code = 0;      // gRPC's
  std::string message = {};
  int status = 0;  // HTTP's; 0 for a call by gRPC
  std::map<std::string, std::string> headers = {};
  std::vector<Actual> replies = {};
  absl::Duration took = {};
  std::optional<dev::v1::CommandTrace> trace = {};  // where it got as far as that
  std::vector<dev::v1::Event> events = {};          // that it has stored, in their order
};

// The parts of a test file are held against what came by these, with the places of what was expected. Each tells the
// first thing that does not hold, without the steps of the call; nothing if all does.
class OutcomeCheck {
 public:
  // All outlive this.
  OutcomeCheck(const dev::v1::TestFile& file, const simulation::YamlPlaces& places, const KnownTypes& types)
      : file_(file), places_(places), types_(types) {}

  std::optional<CaseFailure> Step(const dev::v1::TestStep& step, const CallOutcome& outcome) const;

  // {ItemAdded: {…}}.
  std::optional<CaseFailure> Payload(const Json& expected, const dev::v1::Payload& came, const std::string& path) const;
  // The same of each; `field` of `owner` has them.
  std::optional<CaseFailure> Payloads(const google::protobuf::Message& owner, int field,
                                      const google::protobuf::RepeatedPtrField<Json>& expected,
                                      const std::vector<dev::v1::Payload>& came, const std::string& path) const;
  std::optional<CaseFailure> Values(const google::protobuf::Message& owner, int field,
                                    const google::protobuf::RepeatedPtrField<Json>& expected,
                                    const std::vector<Actual>& came, const std::string& path) const;
  std::optional<CaseFailure> Value(const Json& expected, const Actual& came, const std::string& path) const;

  CaseFailure Failure(const google::protobuf::Message& message, int field, const std::string& problem) const;

 private:
  std::optional<CaseFailure> Ended(const dev::v1::TestStep& step, const CallOutcome& outcome) const;
  std::optional<CaseFailure> HttpEnded(const dev::v1::TestStep& step, const CallOutcome& outcome) const;
  std::optional<CaseFailure> Replies(const dev::v1::TestStep& step, const CallOutcome& outcome) const;
  // Fails where fields are expected that their type does not have.
  std::optional<CaseFailure> RecognizeReplies(const dev::v1::TestStep& step, const CallOutcome& outcome,
                                              std::vector<Actual>& replies) const;
  std::optional<CaseFailure> Headers(const dev::v1::TestStep& step, const CallOutcome& outcome) const;
  std::optional<CaseFailure> Effects(const dev::v1::TestStep& step, const CallOutcome& outcome) const;
  std::optional<CaseFailure> Forward(const dev::v1::TestStep& step, const CallOutcome& outcome) const;
  std::optional<CaseFailure> Command(const dev::v1::ExpectedCommand& expected, const CallOutcome& outcome, int command,
                                     const std::string& path) const;
  TypedActual Typed(const dev::v1::Payload& payload) const;
  // What differs; something does.
  CaseFailure Told(const Comparison& comparison, const Json& came) const;
  bool IsLookedAt(const google::protobuf::Message& owner, int field, bool has) const {
    return has || places_.IsGiven(owner, field);
  }

  const dev::v1::TestFile& file_;
  const simulation::YamlPlaces& places_;
  const KnownTypes& types_;
};

}  // namespace cloudstate::testing
