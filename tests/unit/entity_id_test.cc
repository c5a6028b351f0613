#include "emulator/userfunction/entity_id.h"

#include <memory>
#include <string>
#include <vector>

#include "cloudstate/entity_key.pb.h"
#include "cloudstate/legacy_entity_key.pb.h"
#include "google/protobuf/dynamic_message.h"
#include "gtest/gtest.h"
#include "tests/unit/descriptor_text.h"

namespace cloudstate::userfunction {
namespace {

using std::string_literals::operator""s;

std::string KeyField(const std::string& name, int number, const std::string& type,
                     const std::string& option = "cloudstate.entity_key") {
  return "field { name: '" + name + "' number: " + std::to_string(number) + " label: LABEL_OPTIONAL type: " + type +
         " options { [" + option + "]: true } } ";
}

// A type "M" with these fields, in text format.
std::unique_ptr<google::protobuf::DescriptorPool> PoolWith(const std::string& fields) {
  return testing::PoolFromText(
      {"name: 'm.proto' syntax: 'proto3' message_type { name: 'M' " + fields +
       "} enum_type { name: 'E' value { name: 'ZERO' number: 0 } value { name: 'ONE' number: 1 } }"});
}

std::string Extract(const std::string& fields, const std::string& bytes) {
  const auto pool = PoolWith(fields);
  const auto extractor = EntityIdExtractor::Create(*pool->FindMessageTypeByName("M"));
  EXPECT_TRUE(extractor.ok()) << extractor.status();
  const auto id = extractor->Extract(bytes);
  return id.ok() ? *id : "error: " + std::string(id.status().message());
}

struct NumberCase {
  std::string type;
  std::string bytes;  // after the tag
  std::string text;
  std::string absent = "0";
};

class EntityIdNumbers : public ::testing::TestWithParam<NumberCase> {};

TEST_P(EntityIdNumbers, PrintInDecimalAndDefaultToZero) {
  const auto& [type, bytes, text, absent] = GetParam();
  EXPECT_EQ(Extract(KeyField("id", 1, type), bytes), text);
  EXPECT_EQ(Extract(KeyField("id", 1, type), ""), absent);
}

INSTANTIATE_TEST_SUITE_P(
    EntityId, EntityIdNumbers,
    ::testing::Values(NumberCase{"TYPE_INT32", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "-1"},
                      NumberCase{"TYPE_INT64", "\x08\x96\x01", "150"},
                      NumberCase{"TYPE_UINT32", "\x08\xff\xff\xff\xff\x0f", "4294967295"},
                      NumberCase{"TYPE_UINT64", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "18446744073709551615"},
                      NumberCase{"TYPE_SINT32", "\x08\x03", "-2"},
                      NumberCase{"TYPE_SINT64", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "-9223372036854775808"},
                      NumberCase{"TYPE_FIXED32", "\x0d\xff\xff\xff\xff", "4294967295"},
                      NumberCase{"TYPE_SFIXED32", "\x0d\xff\xff\xff\xff", "-1"},
                      NumberCase{"TYPE_FIXED64", "\x09\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"},
                      NumberCase{"TYPE_SFIXED64", "\x09\xfe\xff\xff\xff\xff\xff\xff\xff", "-2"},
                      NumberCase{"TYPE_BOOL", "\x08\x01", "true", "false"},
                      NumberCase{"TYPE_ENUM type_name: '.E'", "\x08\x01", "ONE", "ZERO"},
                      NumberCase{"TYPE_ENUM type_name: '.E'", "\x08\x07", "7", "ZERO"}));

TEST(EntityId, StringsAreTakenAsTheyAre) {
  EXPECT_EQ(Extract(KeyField("id", 1, "TYPE_STRING"),
                    "\x0a\x05"
                    "a-\xc3\xa9 "),
            "a-\xc3\xa9 ");
  EXPECT_EQ(Extract(KeyField("id", 1, "TYPE_STRING"), ""), "");
}

TEST(EntityId, TheOlderOptionMarksKeysAsWell) {
  EXPECT_EQ(Extract(KeyField("id", 1, "TYPE_STRING", "cloudstate.legacy_entity_key"),
                    "\x0a\x01"
                    "a"),
            "a");
}

TEST(EntityId, OfAFieldThatComesTwiceTheLastCounts) {
  EXPECT_EQ(Extract(KeyField("id", 1, "TYPE_STRING"),
                    "\x0a\x01"
                    "a\x0a\x01"
                    "b"),
            "b");
}

TEST(EntityId, SeveralKeysAreJoinedInDeclarationOrder) {
  const std::string fields = KeyField("b", 5, "TYPE_STRING") + KeyField("a", 2, "TYPE_INT32");
  EXPECT_EQ(Extract(fields, "\x10\x07\x2a\x01x"), "x-7");
  EXPECT_EQ(Extract(fields, "\x10\x07"), "-7");
}

TEST(EntityId, OtherFieldsOfEveryWireTypeAreSkipped) {
  const std::string others =
      "\x10\x01"
      "\x19"
      "12345678"
      "\x22\x02\x0a\x00"
      "\x2b\x08\x01\x33\x34\x2c"
      "\x35"
      "1234"s;
  EXPECT_EQ(Extract(KeyField("id", 1, "TYPE_STRING"), others + "\x0a\x01k" + others), "k");
}

TEST(EntityId, AKeyWithAnotherWireTypeIsAnUnknownField) {
  EXPECT_EQ(Extract(KeyField("id", 1, "TYPE_STRING"), "\x08\x05"), "");
}

TEST(EntityId, MalformedBytesAreRefused) {
  const std::vector<std::string> malformed = {
      "\x0a",  // no length
      "\x0a\x05"
      "abc",                                               // too short
      "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  // an endless varint
      std::string("\x00\x01", 2),                          // field number 0
      "\x0b\x08\x01",                                      // a group without end
      "\x0c",                                              // an end without group
      "\x0b\x14",                                          // the end of another group
      "\x0f",                                              // no such wire type
      "\x0d\x01\x02",                                      // 2 bytes of 4
      std::string(100, '\x0b'),                            // groups in groups in groups
  };
  for (const std::string& bytes : malformed) {
    EXPECT_EQ(Extract(KeyField("id", 1, "TYPE_STRING"), bytes), "error: the command is not a valid M")
        << ::testing::PrintToString(bytes);
  }
}

TEST(EntityId, KeysMustBeUtf8) {
  for (const char* bytes :
       {"\x0a\x01\xff", "\x0a\x02\xc0\x80", "\x0a\x03\xed\xa0\x80", "\x0a\x04\xf4\x90\x80\x80", "\x0a\x01\xc3"}) {
    EXPECT_EQ(Extract(KeyField("id", 1, "TYPE_STRING"), bytes), "error: the entity key M.id is not valid UTF-8");
  }
}

TEST(EntityId, FieldsThatCannotBeKeysAreNamed) {
  for (const char* type : {"TYPE_BYTES", "TYPE_FLOAT", "TYPE_DOUBLE", "TYPE_MESSAGE type_name: '.M'"}) {
    const auto pool = PoolWith(KeyField("id", 1, type));
    const auto extractor = EntityIdExtractor::Create(*pool->FindMessageTypeByName("M"));
    ASSERT_FALSE(extractor.ok()) << type;
    EXPECT_NE(extractor.status().message().find("M.id"), std::string::npos);
  }
  std::string repeated = KeyField("id", 1, "TYPE_STRING");
  repeated.replace(repeated.find("LABEL_OPTIONAL"), 14, "LABEL_REPEATED");
  EXPECT_FALSE(EntityIdExtractor::Create(*PoolWith(repeated)->FindMessageTypeByName("M")).ok());
}

TEST(EntityId, ATypeWithoutKeyHasNoExtractor) {
  const auto pool = PoolWith("field { name: 'id' number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }");
  EXPECT_FALSE(HasEntityKey(*pool->FindMessageTypeByName("M")));
  EXPECT_FALSE(EntityIdExtractor::Create(*pool->FindMessageTypeByName("M")).ok());
}

}  // namespace
}  // namespace cloudstate::userfunction
