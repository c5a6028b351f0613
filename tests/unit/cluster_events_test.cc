#include "emulator/cluster/cluster_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cloudstate::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ClusterEvent Event(std::string text) {
  return {.time = absl::UnixEpoch(), .node = NodeId{1}, .kind = "state", .text = std::move(text)};
}

std::vector<std::string> Texts(const ClusterEvents& events) {
  std::vector<std::string> texts;
  for (const ClusterEvent& each : events.events()) texts.push_back(each.text);
  return texts;
}

TEST(ClusterEvents, KeepTheNewest) {
  ClusterEvents events(2);
  for (const char* text : {"a", "b", "c"}) events.Add(Event(text));
  EXPECT_THAT(Texts(events), ElementsAre("b", "c"));
}

TEST(ClusterEvents, TellWatchersUntilTheyNoLongerWatch) {
  ClusterEvents events;
  std::vector<std::string> told;
  events.Add(Event("before"));
  const std::uint64_t first = events.Watch([&](const ClusterEvent& event) { told.push_back("1 " + event.text); });
  events.Watch([&](const ClusterEvent& event) { told.push_back("2 " + event.text); });
  events.Add(Event("a"));
  events.Unwatch(first);
  events.Add(Event("b"));
  EXPECT_THAT(told, ElementsAre("1 a", "2 a", "2 b"));
}

TEST(ClusterEvents, LetAWatcherEndItsOwnAndOthersWatches) {
  ClusterEvents events;
  std::vector<std::string> told;
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  first = events.Watch([&, text = std::string("long enough to be kept on the heap")](const ClusterEvent&) {
    events.Unwatch(first);
    events.Unwatch(second);
    told.push_back(text);
  });
  second = events.Watch([&](const ClusterEvent&) { told.push_back("second"); });
  events.Add(Event("a"));
  events.Add(Event("b"));
  EXPECT_THAT(told, ElementsAre("long enough to be kept on the heap"));
}

TEST(ClusterEvents, LetAWatcherAddEvenWhereNoneIsKept) {
  ClusterEvents events(0);
  std::vector<std::string> told;
  events.Watch([&](const ClusterEvent& event) {
    if (event.text == "a") events.Add(Event("b"));
    told.push_back(event.text);
  });
  events.Add(Event("a"));
  EXPECT_THAT(told, ElementsAre("b", "a"));
  EXPECT_THAT(Texts(events), IsEmpty());
}

}  // namespace
}  // namespace cloudstate::cluster
