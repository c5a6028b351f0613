// How long each part of a call took, as its trace tells.

#include "emulator/runtime/call_times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/base/proto_time.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::runtime {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using trace::StepKind;

struct StepAt {
  int milliseconds;
  StepKind kind;
  trace::CommandNumber command = trace::kClientsCommand;
  const char* detail = "";
};

std::shared_ptr<trace::Trace> TraceOf(const std::vector<StepAt>& steps, int milliseconds) {
  auto trace = std::make_shared<trace::Trace>();
  trace->begin = testing::VirtualStrand::Beginning();
  trace->duration = absl::Milliseconds(milliseconds);
  for (const StepAt& step : steps) {
    trace->Add(trace->begin + absl::Milliseconds(step.milliseconds), step.kind, step.command, step.detail);
  }
  return trace;
}

PartsOfCall Parts(int until_sent, int user_function, int journal, int held = 0) {
  return {absl::Milliseconds(until_sent), absl::Milliseconds(user_function), absl::Milliseconds(journal),
          absl::Milliseconds(held)};
}

TEST(PartsOfCall, AreThoseOfItsCommand) {
  EXPECT_EQ(PartsOf(*TraceOf({{0, StepKind::kReceived},
                              {2, StepKind::kSent},
                              {12, StepKind::kReplied},
                              {17, StepKind::kStored},
                              {18, StepKind::kAnswered}},
                             18)),
            Parts(2, 10, 5));
}

TEST(PartsOfCall, AreNoneOfTheJournalWhereNothingWasStored) {
  EXPECT_EQ(PartsOf(*TraceOf({{1, StepKind::kSent}, {4, StepKind::kReplied}, {5, StepKind::kAnswered}}, 5)),
            Parts(1, 3, 0));
}

TEST(PartsOfCall, AreSummedOverAllThatItSetOff) {
  EXPECT_EQ(PartsOf(*TraceOf({{1, StepKind::kSent, 0},
                              {3, StepKind::kReplied, 0},
                              {3, StepKind::kEffect, 1},
                              {4, StepKind::kSent, 1},
                              {5, StepKind::kStored, 0},
                              {9, StepKind::kReplied, 1},
                              {11, StepKind::kStored, 1}},
                             12)),
            Parts(1, 2 + 5, 2 + 2));
}

// It was held, came back from a node that was going, was held again, and then waited for its entity.
TEST(PartsOfCall, TellWhatTheActivatorHeld) {
  EXPECT_EQ(PartsOf(*TraceOf({{0, StepKind::kReceived},
                              {30, StepKind::kQueued, 0, "held by the activator for 30ms"},
                              {50, StepKind::kQueued, 0, "held by the activator for 20ms"},
                              {51, StepKind::kRouted},
                              {53, StepKind::kQueued, 0, "1 waiting"},
                              {60, StepKind::kSent},
                              {70, StepKind::kReplied}},
                             71)),
            Parts(60, 10, 0, 50));
}

TEST(PartsOfCall, EndWithAFailure) {
  EXPECT_EQ(PartsOf(*TraceOf({{1, StepKind::kSent}, {8, StepKind::kFailed}, {9, StepKind::kAnswered}}, 9)),
            Parts(1, 7, 0));
}

TEST(PartsOfCall, EndWithTheCallWhereTheUserFunctionNeverReplied) {
  EXPECT_EQ(PartsOf(*TraceOf({{1, StepKind::kSent}}, 30)), Parts(1, 29, 0));
}

TEST(PartsOfCall, AreNoneOfACallThatWasRefused) {
  EXPECT_EQ(PartsOf(*TraceOf({{0, StepKind::kReceived}}, 1)), Parts(0, 0, 0));
}

class CallRecordingTest : public ::testing::Test {
 protected:
  CallRecordingTest() {
    services_->pool = google::protobuf::DescriptorPool::generated_pool();
    services_->services = {dev::v1::Status::descriptor()->file()->FindServiceByName("Emulator")};
  }
  void Record() {
    recording_ = std::make_unique<CallRecording>(
        strand_, recorder_, [this] { return services_; },
        [this](dev::v1::CallTimes times) { batches_.push_back(std::move(times)); });
  }
  void EndCall(const std::string& method = "GetStatus", absl::Status outcome = absl::OkStatus()) {
    auto trace = TraceOf({{1, StepKind::kSent}, {3, StepKind::kReplied}, {7, StepKind::kStored}}, 8);
    trace->begin = strand_.Now();
    trace->service = "cloudstate.dev.v1.Emulator";
    trace->method = method;
    trace->node = "2";
    trace->outcome = std::move(outcome);
    recorder_.End(std::move(trace));
  }

  testing::VirtualStrand strand_;
  trace::Recorder recorder_{10};
  std::shared_ptr<serving::Services> services_ = std::make_shared<serving::Services>();
  std::vector<dev::v1::CallTimes> batches_;
  std::unique_ptr<CallRecording> recording_;
};

TEST_F(CallRecordingTest, HasAPlaceForEachCallInEachArray) {
  Record();
  strand_.Advance(absl::Milliseconds(5));
  EndCall();
  EndCall("GetStatus", absl::UnavailableError("no"));
  strand_.Advance(CallRecording::kMoment);
  ASSERT_EQ(batches_.size(), 1);
  const dev::v1::CallTimes& times = batches_[0];
  EXPECT_THAT(times.at(), ElementsAre(5'000, 5'000));
  EXPECT_THAT(times.total(), Each(8'000));
  EXPECT_THAT(times.until_sent(), Each(1'000));
  EXPECT_THAT(times.held(), ElementsAre(0, 0));
  EXPECT_THAT(times.user_function(), Each(2'000));
  EXPECT_THAT(times.journal(), Each(4'000));
  EXPECT_THAT(times.node(), Each(2));
  EXPECT_THAT(times.code(), ElementsAre(0, 14));
  EXPECT_EQ(base::FromTimestamp(times.began()), testing::VirtualStrand::Beginning());
}

TEST_F(CallRecordingTest, CountsFromTheSameInstantInAllBatches) {
  Record();
  EndCall();
  strand_.Advance(absl::Seconds(1));
  EndCall();
  strand_.Advance(absl::Seconds(1));
  ASSERT_EQ(batches_.size(), 2);
  EXPECT_EQ(batches_[1].began().seconds(), batches_[0].began().seconds());
  EXPECT_THAT(batches_[1].at(), ElementsAre(1'000'000));
}

TEST_F(CallRecordingTest, HandsOverManyCallsAtOnce) {
  Record();
  for (int i = 0; i < CallRecording::kMostAtOnce + 1; ++i) EndCall();
  ASSERT_EQ(batches_.size(), 1);
  EXPECT_EQ(batches_[0].at_size(), CallRecording::kMostAtOnce);
  strand_.Advance(CallRecording::kMoment);
  ASSERT_EQ(batches_.size(), 2);
  EXPECT_EQ(batches_[1].at_size(), 1);
}

TEST_F(CallRecordingTest, SaysNothingWhileNothingEnds) {
  Record();
  strand_.Advance(absl::Seconds(10));
  EXPECT_THAT(batches_, IsEmpty());
}

TEST_F(CallRecordingTest, LeavesOutMethodsThatStream) {
  Record();
  EndCall("WatchEvents");
  EndCall("CallStream");
  strand_.Advance(CallRecording::kMoment);
  EXPECT_THAT(batches_, IsEmpty());
}

TEST_F(CallRecordingTest, LearnsOfOtherServices) {
  auto described = std::exchange(services_, std::make_shared<serving::Services>());
  Record();
  EndCall("WatchEvents");
  services_ = std::move(described);
  EndCall("WatchEvents");
  strand_.Advance(CallRecording::kMoment);
  ASSERT_EQ(batches_.size(), 1);
  EXPECT_EQ(batches_[0].at_size(), 1) << "of the one that nobody has described";
}

TEST_F(CallRecordingTest, LeavesOutCallsThatBeganBefore) {
  auto trace = TraceOf({}, 8);
  strand_.Advance(absl::Milliseconds(1));
  Record();
  recorder_.End(std::move(trace));
  strand_.Advance(CallRecording::kMoment);
  EXPECT_THAT(batches_, IsEmpty());
}

TEST_F(CallRecordingTest, EndsWithItsObject) {
  Record();
  EndCall();
  recording_ = nullptr;
  EndCall();
  strand_.Advance(absl::Seconds(1));
  EXPECT_THAT(batches_, IsEmpty());
}

}  // namespace
}  // namespace cloudstate::runtime
