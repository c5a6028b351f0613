#include <gtest/gtest.h>

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cmd/cloudstate-dev/call_tree.h"
#include "emulator/admin/views.h"

namespace cloudstate::cli {
namespace {

class CliCallTree : public ::testing::Test {
 protected:
  CliCallTree() {
    trace_.set_service("shop.Cart");
    trace_.set_method("Checkout");
    trace_.set_entity_id("cart-1");
  }

  int Cause(int parent, dev::v1::CausedCommand::Origin origin, const std::string& method, const std::string& entity) {
    dev::v1::CausedCommand& caused = *trace_.add_caused();
    caused.set_parent(parent);
    caused.set_origin(origin);
    caused.set_service("shop.Orders");
    caused.set_method(method);
    caused.set_entity_id(entity);
    return trace_.caused_size();
  }

  void Add(int command, const std::string& kind, const std::string& detail = "") {
    dev::v1::Step& step = *trace_.add_steps();
    *step.mutable_at() = admin::ToDuration(absl::Microseconds(trace_.steps_size()));
    step.set_command(command);
    step.set_kind(kind);
    step.set_detail(detail);
  }

  // Without the blanks at the ends of lines.
  std::string Tree() {
    std::string text;
    for (absl::string_view line : absl::StrSplit(FormatCallTree(trace_, Terminal{}), '\n')) {
      absl::StrAppend(&text, "\n", absl::StripTrailingAsciiWhitespace(line));
    }
    return text;
  }

  dev::v1::CommandTrace trace_;
};

TEST_F(CliCallTree, HasWhatACommandCausedBelowItWhereItBegan) {
  Add(0, "received", "2 bytes");
  Add(0, "replied");
  const int effect = Cause(0, dev::v1::CausedCommand::SIDE_EFFECT, "Place", "o-1");
  Add(effect, "effect", "synchronous");
  Add(effect, "sent");
  const int forward = Cause(effect, dev::v1::CausedCommand::FORWARD, "Print", "");
  Add(forward, "forwarded");
  Add(forward, "failed", "no paper");
  Add(effect, "some new kind");
  Add(0, "answered");
  EXPECT_EQ(Tree(), R"(
 AT  CALL                              WHAT
     Cart.Checkout  cart-1
1µs  ├─ received                       2 bytes
2µs  ├─ replied
3µs  ├─ side effect Orders.Place  o-1  synchronous
4µs  │  ├─ sent
5µs  │  ├─ forward to Orders.Print
6µs  │  │  └─ failed                   no paper
7µs  │  └─ some new kind
8µs  └─ answered
)");
}

TEST_F(CliCallTree, CountsTheManyStepsOfAStream) {
  for (int i = 1; i <= 100; ++i) {
    Add(0, "message in", absl::StrCat("#", i));
    if (i % 30 == 0) Add(0, "message out", absl::StrCat("#", i));
  }
  EXPECT_EQ(Tree(), R"(
   AT  CALL                   WHAT
       Cart.Checkout  cart-1
  1µs  ├─ message in          #1
       ├─ …                   98 more: message in
 31µs  ├─ message out         #30
 62µs  ├─ message out         #60
 93µs  ├─ message out         #90
103µs  └─ message in          #100
)");
}

TEST_F(CliCallTree, ShowsCommandsWithoutStepsAndStepsOfUnknownCommands) {
  Cause(0, dev::v1::CausedCommand::SIDE_EFFECT, "Place", "o-1");
  Cause(7, dev::v1::CausedCommand::SIDE_EFFECT, "Lost", "");
  Add(9, "sent");
  EXPECT_EQ(Tree(), R"(
 AT  CALL                              WHAT
     Cart.Checkout  cart-1
1µs  ├─ sent
     ├─ side effect Orders.Place  o-1  (its steps were not kept)
     └─ side effect Orders.Lost        (its steps were not kept)
)");
}

}  // namespace
}  // namespace cloudstate::cli
