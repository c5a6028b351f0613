#include "emulator/http2/grpc_framing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "emulator/http2/gzip.h"
#include "emulator/http2/outgoing_messages.h"

namespace cloudstate::http2 {
namespace {

using ::testing::ElementsAre;

std::string Framed(const std::string& message) {
  const auto prefix = MessagePrefix(message.size());
  return std::string(prefix.data(), prefix.size()) + message;
}

// ---- framing

TEST(MessagePrefix, IsAFlagThatIsNotSetAndTheSizeWithItsHighByteFirst) {
  EXPECT_THAT(MessagePrefix(0), ElementsAre(0, 0, 0, 0, 0));
  EXPECT_THAT(MessagePrefix(0x01020304), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(MessagePrefix(0xff), ElementsAre(0, 0, 0, 0, '\xff'));
}

TEST(Deframer, GivesTheSameMessagesHoweverTheBytesAreCut) {
  const std::string bytes = Framed("first") + Framed("") + Framed(std::string(300, 'x')) + Framed("last");
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    Deframer deframer(1000);
    std::vector<std::string> messages;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      ASSERT_EQ(deframer.Feed(std::string_view(bytes).substr(at, piece),
                              [&](std::string message) { messages.push_back(std::move(message)); }),
                absl::OkStatus());
    }
    EXPECT_THAT(messages, ElementsAre("first", "", std::string(300, 'x'), "last")) << piece;
    EXPECT_TRUE(deframer.between_messages());
  }
}

TEST(Deframer, KnowsThatAMessageIsNotWhole) {
  const std::string bytes = Framed("abc");
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    Deframer deframer(1000);
    ASSERT_EQ(deframer.Feed(bytes.substr(0, size), [](const std::string&) { FAIL(); }), absl::OkStatus());
    EXPECT_FALSE(deframer.between_messages()) << size;
  }
}

TEST(Deframer, TakesAMessageOfTheLargestSizeAndRefusesALargerOne) {
  int messages = 0;
  Deframer deframer(10);
  EXPECT_EQ(deframer.Feed(Framed(std::string(10, 'x')), [&](const std::string&) { ++messages; }), absl::OkStatus());
  EXPECT_EQ(messages, 1);
  EXPECT_EQ(deframer.Feed(Framed(std::string(11, 'x')).substr(0, 5), [&](const std::string&) { ++messages; }),
            absl::ResourceExhaustedError("a message of 11 bytes is larger than the limit of 10"));
  EXPECT_EQ(messages, 1);
}

TEST(Deframer, RefusesACompressedMessageIfNothingSaysHow) {
  Deframer deframer(10);
  EXPECT_EQ(deframer.Feed(std::string("\1\0\0\0\0", 5), [](const std::string&) { FAIL(); }).code(),
            absl::StatusCode::kInternal);
}

// ---- text in headers

TEST(TimeoutText, HasAtMostEightDigitsAndIsNeverLessThanWhatWasAskedFor) {
  EXPECT_EQ(TimeoutText(absl::Seconds(-1)), "1u");
  EXPECT_EQ(TimeoutText(absl::Nanoseconds(1)), "1u");
  EXPECT_EQ(TimeoutText(absl::Milliseconds(5)), "5000u");
  EXPECT_EQ(TimeoutText(absl::Microseconds(99'999'999)), "99999999u");
  EXPECT_EQ(TimeoutText(absl::Microseconds(100'000'001)), "100001m");
  EXPECT_EQ(TimeoutText(absl::Hours(24)), "86400000m");
  EXPECT_EQ(TimeoutText(absl::Hours(28)), "100800S");
  EXPECT_EQ(TimeoutText(absl::Hours(24 * 365 * 100)), "876000H");
  EXPECT_EQ(TimeoutText(absl::Hours(std::int64_t{1} << 40)), "99999999H");
}

TEST(PercentDecoded, LeavesAloneWhatIsNotEncoded) {
  EXPECT_EQ(PercentDecoded(""), "");
  EXPECT_EQ(PercentDecoded("100%25 of Z%C3%bcrich"), "100% of Zürich");
  EXPECT_EQ(PercentDecoded("%"), "%");
  EXPECT_EQ(PercentDecoded("%2"), "%2");
  EXPECT_EQ(PercentDecoded("%zz%4"), "%zz%4");
  EXPECT_EQ(PercentDecoded("%%20"), "% ");
}

TEST(ParseTimeout, UndoesTimeoutTextAndKnowsAllUnits) {
  EXPECT_EQ(ParseTimeout("1n"), absl::Nanoseconds(1));
  EXPECT_EQ(ParseTimeout("99999999u"), absl::Microseconds(99'999'999));
  EXPECT_EQ(ParseTimeout("20m"), absl::Milliseconds(20));
  EXPECT_EQ(ParseTimeout("0S"), absl::ZeroDuration());
  EXPECT_EQ(ParseTimeout("2M"), absl::Minutes(2));
  EXPECT_EQ(ParseTimeout(TimeoutText(absl::Hours(1000))), absl::Hours(1000));
  for (const char* wrong : {"", "S", "5", "-1S", "+1S", " 1S", "1.5S", "1x", "123456789S"}) {
    EXPECT_EQ(ParseTimeout(wrong), std::nullopt) << wrong;
  }
}

TEST(PercentEncoded, LeavesPrintableCharactersAloneAndIsUndoneByDecoding) {
  EXPECT_EQ(PercentEncoded("no cart 'a'"), "no cart 'a'");
  EXPECT_EQ(PercentEncoded("100% of Zürich\n"), "100%25 of Z%C3%BCrich%0A");
  std::string all;
  for (int each = 0; each < 256; ++each) all.push_back(static_cast<char>(each));
  EXPECT_EQ(PercentDecoded(PercentEncoded(all)), all);
}

TEST(BinaryHeader, IsWrittenWithoutPaddingAndReadWithAndWithout) {
  EXPECT_EQ(BinaryHeaderText("\x01\x02"), "AQI");
  EXPECT_EQ(ParseBinaryHeader("AQI"), "\x01\x02");
  EXPECT_EQ(ParseBinaryHeader("AQI="), "\x01\x02");
  EXPECT_EQ(ParseBinaryHeader(""), "");
  EXPECT_EQ(ParseBinaryHeader("A"), std::nullopt);
  EXPECT_EQ(ParseBinaryHeader("no base64!"), std::nullopt);
}

// ---- compression

// A thousand times "x", compressed with gzip.
constexpr char kCompressed[] =
    "\037\213\010\000\000\000\000\000\002\003\253\250\030\005\243\140\024\014\167\000\000\346\311\101\073\350\003\000"
    "\000";
const std::string kThousand(kCompressed, sizeof kCompressed - 1);

TEST(Gunzip, UndoesGzipUpToTheLimit) {
  EXPECT_EQ(*Gunzip(kThousand, 10'000), std::string(1000, 'x'));
  EXPECT_EQ(*Gunzip(kThousand, 1000), std::string(1000, 'x'));
  EXPECT_EQ(Gunzip(kThousand, 999).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Gunzip(kThousand, 0).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(Gunzip, RefusesWhatIsNotGzipOrNotAllOfIt) {
  for (std::size_t size = 0; size < kThousand.size(); ++size) {
    EXPECT_EQ(Gunzip(kThousand.substr(0, size), 10'000).status().code(), absl::StatusCode::kInternal) << size;
  }
  EXPECT_EQ(Gunzip(kThousand + "more", 10'000).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Gunzip("plain text", 10'000).status().code(), absl::StatusCode::kInternal);
}

TEST(Deframer, TakesCompressedMessagesAmongOthersAndTheLimitIsForWhatTheyHold) {
  std::string bytes = Framed("plain") + Framed(kThousand) + Framed("");
  bytes[Framed("plain").size()] = 1;
  std::vector<std::string> messages;
  const auto take = [&](std::string message) { messages.push_back(std::move(message)); };
  Deframer deframer(1000, Gunzip);
  EXPECT_EQ(deframer.Feed(bytes, take), absl::OkStatus());
  EXPECT_THAT(messages, ElementsAre("plain", std::string(1000, 'x'), ""));
  Deframer smaller(999, Gunzip);
  EXPECT_EQ(smaller.Feed(bytes, take).code(), absl::StatusCode::kResourceExhausted);
}

// ---- outgoing messages

TEST(OutgoingMessages, SendsTheSameBytesHoweverTheyAreCut) {
  const std::string whole = Framed("first") + Framed("") + Framed("last");
  for (std::size_t piece = 1; piece <= whole.size(); ++piece) {
    OutgoingMessages outgoing;
    for (const char* each : {"first", "", "last"}) outgoing.Add(each);
    outgoing.Close();
    std::string output;
    while (outgoing.SendableBytes(piece) > 0) {
      const std::size_t bytes = outgoing.SendableBytes(piece);
      EXPECT_EQ(outgoing.EndsWith(bytes), output.size() + bytes == whole.size()) << piece;
      outgoing.Send(bytes, output);
    }
    EXPECT_EQ(output, whole);
    EXPECT_EQ(outgoing.unsent(), 0u);
  }
}

TEST(OutgoingMessages, CountsAMessageAsUnsentUntilItsLastByteIsSent) {
  OutgoingMessages outgoing;
  outgoing.Add("ab");
  outgoing.Add("c");
  std::string output;
  EXPECT_EQ(outgoing.unsent(), 2u);
  outgoing.Send(6, output);
  EXPECT_EQ(outgoing.unsent(), 2u);
  outgoing.Send(2, output);
  EXPECT_EQ(outgoing.unsent(), 1u);
  EXPECT_FALSE(outgoing.EndsWith(6)) << "more may follow";
}

}  // namespace
}  // namespace cloudstate::http2
