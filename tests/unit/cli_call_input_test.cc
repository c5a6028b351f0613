#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/call_input.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate::cli {
namespace {

class CliCallInput : public ::testing::Test {
 protected:
  ~CliCallInput() override { close(never_); }

  std::string File(const std::string& name, const std::string& content) {
    const std::string path = (directory_.path() / name).string();
    std::ofstream(path, std::ios::binary) << content;
    return "@" + path;
  }

  // "label=json" of each message, without the directory.
  std::vector<std::string> Messages(const std::vector<std::string>& arguments) {
    std::vector<std::string> messages;
    absl::StatusOr<InputStream> input = InputStream::Open(arguments);
    EXPECT_TRUE(input.ok()) << input.status();
    while (input.ok()) {
      absl::StatusOr<std::optional<InputMessage>> next = input->Next(never_);
      EXPECT_TRUE(next.ok()) << next.status();
      if (!next.ok() || !next->has_value()) break;
      const std::string& label = (*next)->label;
      messages.push_back(absl::StrCat(label.substr(label.rfind('/') + 1), "=", (*next)->json));
    }
    return messages;
  }

  const testing::TemporaryDirectory directory_;
  const int never_ = eventfd(0, EFD_CLOEXEC);
};

using Texts = std::vector<std::string>;

TEST_F(CliCallInput, AnArgumentIsAMessage) {
  EXPECT_EQ(Messages({R"({"a":1})", "{}"}), (Texts{R"(message 1={"a":1})", "message 2={}"}));
}

TEST_F(CliCallInput, AFileHasAMessageInEachLineThatIsNotBlank) {
  EXPECT_EQ(Messages({File("all", "{}\n\n  \n{\"b\":2}\n")}), (Texts{"all:1={}", R"(all:4={"b":2})"}));
  EXPECT_EQ(Messages({File("end", "{}\n{\"b\":2}")}), (Texts{"end:1={}", R"(end:2={"b":2})"}));
  EXPECT_EQ(Messages({File("empty", "")}), Texts{});
  EXPECT_EQ(Messages({File("one", "{}\n"), "{}", File("two", "\n{}\n")}),
            (Texts{"one:1={}", "message 2={}", "two:2={}"}));
}

TEST_F(CliCallInput, LinesMayBeLongerThanWhatIsReadAtOnce) {
  const std::string longest(300'000, 'x');
  std::string content;
  for (int i = 0; i < 3; ++i) absl::StrAppend(&content, longest, "\n");
  const Texts messages = Messages({File("long", content)});
  ASSERT_EQ(messages.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(messages[i] == absl::StrCat("long:", i + 1, "=", longest)) << i;
}

TEST_F(CliCallInput, StandardInputIsReadWholeOnlyOnce) {
  const absl::StatusOr<Texts> texts = ReadAll({"{}", File("whole", "{\n}\n")});
  ASSERT_TRUE(texts.ok()) << texts.status();
  EXPECT_EQ(*texts, (Texts{"{}", "{\n}\n"}));
  const absl::Status status = ReadAll({"-", "{}", "-"}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

TEST_F(CliCallInput, AFileThatIsMissingIsToldBeforeAnythingIsSent) {
  const absl::Status status = InputStream::Open({"{}", "@/nowhere/at all"}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(status.message().find("/nowhere/at all"), std::string::npos) << status;
  EXPECT_TRUE(absl::IsInvalidArgument(ReadWhole("@/nowhere/at all").status()));
}

TEST_F(CliCallInput, WaitingForALineEndsWithTheCall) {
  int pipes[2];
  ASSERT_EQ(pipe(pipes), 0);
  const int stop = eventfd(1, EFD_CLOEXEC);
  absl::StatusOr<InputStream> input = InputStream::Open({absl::StrCat("@/proc/self/fd/", pipes[0])});
  ASSERT_TRUE(input.ok()) << input.status();
  const auto next = input->Next(stop);
  ASSERT_TRUE(next.ok());
  EXPECT_FALSE(next->has_value());
  for (int descriptor : {pipes[0], pipes[1], stop}) close(descriptor);
}

TEST_F(CliCallInput, AllOfAnArgumentIsReadForOneMessage) {
  EXPECT_EQ(*ReadWhole("{}"), "{}");
  EXPECT_EQ(*ReadWhole(File("whole", "{\n}\n")), "{\n}\n");
}

}  // namespace
}  // namespace cloudstate::cli
