#include "emulator/userfunction/payload_json.h"

#include <memory>
#include <random>
#include <string>

#include "emulator/userfunction/json_check.h"
#include "emulator/userfunction/message_json.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/unit/descriptor_text.h"
#include "tests/unit/http_types.h"

namespace cloudstate::userfunction {
namespace {

using std::string_literals::operator""s;

class PayloadJsonTest : public ::testing::Test {
 protected:
  std::unique_ptr<google::protobuf::Message> Parse(const std::string& type, const std::string& text) {
    std::unique_ptr<google::protobuf::Message> message(
        factory_.GetPrototype(pool_->FindMessageTypeByName(type))->New());
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, message.get())) << text;
    return message;
  }

  // "described: JSON" or "guessed: JSON".
  std::string Decode(const std::string& type_url, const std::string& payload) {
    const PayloadJson decoded = DecodePayload(type_url, payload, pool_.get(), factory_);
    EXPECT_TRUE(CheckJson(decoded.json, 1000).ok()) << decoded.json;
    return (decoded.described ? "described: " : "guessed: ") + decoded.json;
  }

  std::string Json(const std::string& text) {
    const auto json = MessageJson(factory_).Write(*Parse("t.All", text));
    if (!json.ok()) return "error: " + std::string(json.status().message());
    EXPECT_TRUE(CheckJson(*json).ok()) << *json;
    return *json;
  }

  bool Contains(const std::string& text, const std::string& part) { return Json(text).find(part) != std::string::npos; }

  std::unique_ptr<google::protobuf::DescriptorPool> pool_ = testing::PoolFromText({testing::kHttpTypes});
  google::protobuf::DynamicMessageFactory factory_;
};

TEST_F(PayloadJsonTest, KnownTypesAreShownWithTheirDefaults) {
  EXPECT_EQ(Decode("type.googleapis.com/t.Item", "\x0a\x01p"), R"(described: {"productId":"p","quantity":0})");
  EXPECT_EQ(Decode("t.Response", ""), R"(described: {"message":""})");
}

TEST_F(PayloadJsonTest, KnownTypesThatDoNotParseAreGuessed) {
  EXPECT_EQ(Decode("type.googleapis.com/t.Item", "\x0a\xff"), "guessed: \"Cv8=\"");
}

TEST_F(PayloadJsonTest, JsonPayloadsAreTheirJson) {
  EXPECT_EQ(Decode("json.cloudstate.io/Thing", "\x0a\x07{\"a\":1}"), R"(described: {"a":1})");
  EXPECT_EQ(Decode("json.cloudstate.io/Thing", "\x0a\x02{]"), R"(guessed: {"1":"{]"})");
}

TEST_F(PayloadJsonTest, PrimitivesAreTheirValue) {
  EXPECT_EQ(Decode("p.cloudstate.io/string",
                   "\x0a\x03"
                   "a\"b"),
            R"(described: "a\"b")");
  EXPECT_EQ(Decode("p.cloudstate.io/string", ""), "described: \"\"");
  EXPECT_EQ(Decode("p.cloudstate.io/bytes", "\x0a\x01\xff"), "described: \"/w==\"");
  EXPECT_EQ(Decode("p.cloudstate.io/int32", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "described: -1");
  EXPECT_EQ(Decode("p.cloudstate.io/int64", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
            R"(described: "9223372036854775807")");
  EXPECT_EQ(Decode("p.cloudstate.io/bool", "\x08\x01"), "described: true");
  EXPECT_EQ(Decode("p.cloudstate.io/float", "\x0d\x00\x00\xc0\x3f"s), "described: 1.5");
  EXPECT_EQ(Decode("p.cloudstate.io/double", "\x09\x00\x00\x00\x00\x00\x00\xf8\x3f"s), "described: 1.5");
  EXPECT_EQ(Decode("p.cloudstate.io/money", "\x08\x01"), R"(guessed: {"1":1})");
}

TEST_F(PayloadJsonTest, UnknownTypesAreObjectsOfFieldNumbers) {
  EXPECT_EQ(Decode("x/y", ""), "guessed: {}");
  EXPECT_EQ(Decode("x/y", "\x12\x02hi\x08\x05"), R"(guessed: {"1":5,"2":"hi"})");
  EXPECT_EQ(Decode("x/y", "\x08\x01\x08\x02"), R"(guessed: {"1":[1,2]})");
  EXPECT_EQ(Decode("x/y", "\x0a\x04\x0a\x02hi"), R"(guessed: {"1":{"1":"hi"}})");
  EXPECT_EQ(Decode("x/y", "\x0a\x02\xff\xfe"), R"(guessed: {"1":"//4="})");
  EXPECT_EQ(Decode("x/y", "\x08\x80\x80\x80\x80\x80\x80\x80\x20"), R"(guessed: {"1":"18014398509481984"})");
  EXPECT_EQ(Decode("x/y", "\x0d\x00\x00\xc0\x3f\x11\x01\x00\x00\x00\x00\x00\x00\x00"s), R"(guessed: {"1":1.5,"2":1})");
  EXPECT_EQ(Decode("x/y", "\x0b\x08\x01\x0c"), R"(guessed: {"1":{"1":1}})");
}

TEST_F(PayloadJsonTest, LinesOfTextThatLookLikeAMessageAreShownAsTheMessage) {
  EXPECT_EQ(Decode("x/y", "\x0a\x22\x0a\x20" + std::string(32, 'a')),
            R"(guessed: {"1":{"1":")" + std::string(32, 'a') + "\"}}");
  EXPECT_EQ(Decode("x/y",
                   "\x0a\x06"
                   "a\nb\tc\n"),
            R"(guessed: {"1":"a\nb\tc\n"})");
}

TEST_F(PayloadJsonTest, GarbageIsAlwaysValidJson) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 5000; ++round) {
    std::string bytes(random() % 64, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % (round % 2 == 0 ? 256 : 32));
    for (const char* url : {"x/y", "t.All", "p.cloudstate.io/string", "json.cloudstate.io/x"}) Decode(url, bytes);
  }
}

TEST_F(PayloadJsonTest, NestingIsBounded) {
  std::string nested;
  for (int i = 0; i < 5000; ++i) {
    std::string size;
    for (std::size_t rest = nested.size();; rest >>= 7) {
      size.push_back(static_cast<char>((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0)));
      if (rest <= 0x7f) break;
    }
    nested = "\x0a" + size + nested;
  }
  EXPECT_LT(Decode("x/y", nested).size(), nested.size() * 2);
}

TEST_F(PayloadJsonTest, WellKnownTypesHaveTheirOwnForms) {
  EXPECT_TRUE(Contains("at { seconds: 1 nanos: 500000000 }", R"("at":"1970-01-01T00:00:01.500Z")"));
  EXPECT_TRUE(Contains("for { seconds: -1 nanos: -500000000 }", R"("for":"-1.500s")"));
  EXPECT_TRUE(Contains("mask { paths: 'user_id' paths: 'a.b' }", R"("mask":"userId,a.b")"));
  EXPECT_TRUE(Contains("wrapped { value: 7 }", R"("wrapped":"7")"));
  EXPECT_TRUE(Contains("wrapped { }", R"("wrapped":"0")"));
  EXPECT_TRUE(
      Contains("struct { fields { key: 'k' value { list_value { values { null_value: NULL_VALUE } values { bool_value: "
               "true } values { number_value: 1.5 } values { } } } } }",
               R"("struct":{"k":[null,true,1.5,null]})"));
  EXPECT_TRUE(Contains("map { key: 10 value: 'b' } map { key: -1 value: 'a' } map { key: 10 value: 'c' }",
                       R"("map":{"-1":"a","10":"c"})"));
  EXPECT_TRUE(Contains("any { }", R"("any":{})"));
}

TEST_F(PayloadJsonTest, AnysAreExpanded) {
  const auto any = [&](const std::string& type, const std::string& text) {
    const auto message = Parse("t.All", "any { type_url: 'h/" + type + "' }");
    auto* inner =
        message->GetReflection()->MutableMessage(message.get(), message->GetDescriptor()->FindFieldByName("any"));
    inner->GetReflection()->SetString(inner, inner->GetDescriptor()->FindFieldByNumber(2),
                                      Parse(type, text)->SerializeAsString());
    return *MessageJson(factory_).WriteField(*message, *message->GetDescriptor()->FindFieldByName("any"));
  };
  EXPECT_EQ(any("t.Item", "quantity: 2"), R"({"@type":"h/t.Item","productId":"","quantity":2})");
  EXPECT_EQ(any("google.protobuf.Duration", "seconds: 2"), R"({"@type":"h/google.protobuf.Duration","value":"2s"})");
  EXPECT_EQ(any("google.protobuf.Empty", ""), R"({"@type":"h/google.protobuf.Empty"})");
  EXPECT_NE(Json("any { type_url: 'h/nope' }").find("error: the type h/nope"), std::string::npos);
  const std::string shown =
      Decode("t.All", Parse("t.All", "any { type_url: 'h/nope' value: '\\010\\005' }")->SerializeAsString());
  EXPECT_NE(shown.find(R"("any":{"@type":"h/nope","value":{"1":5}})"), std::string::npos) << shown;
}

TEST_F(PayloadJsonTest, NumbersReadBackAsTheyWere) {
  EXPECT_TRUE(Contains("d: 100000", R"("d":100000)"));
  EXPECT_TRUE(Contains("d: 1e300", R"("d":1e+300)"));
  EXPECT_TRUE(Contains("d: 0.1", R"("d":0.1,)"));
  EXPECT_TRUE(Contains("f: 0.1", R"("f":0.1,)"));
  EXPECT_TRUE(Contains("d: nan f: -inf", R"("d":"NaN","f":"-Infinity")"));
  EXPECT_TRUE(Contains("color: 42", R"("color":42)"));
}

TEST_F(PayloadJsonTest, WhatHasNoJsonIsAnError) {
  EXPECT_NE(Json("at { seconds: 999999999999 }").find("error: google.protobuf.Timestamp"), std::string::npos);
  EXPECT_NE(Json("for { seconds: 1 nanos: -1 }").find("error: google.protobuf.Duration"), std::string::npos);
  EXPECT_NE(Json("mask { paths: 'aB' }").find("error: a path"), std::string::npos);
}

TEST_F(PayloadJsonTest, ExamplesHaveEveryFieldOnceAndParse) {
  const std::string example = ExampleJson(*pool_->FindMessageTypeByName("t.All"));
  EXPECT_TRUE(CheckJson(example).ok()) << example;
  EXPECT_EQ(example.find(R"({"text":"text","userId":"user_id","i32":1,"i64":"1",)"), 0U) << example;
  EXPECT_NE(example.find(R"("color":"RED")"), std::string::npos);
  EXPECT_NE(example.find(R"("inner":{})"), std::string::npos);
  EXPECT_NE(example.find(R"("items":[{"productId":"product_id","quantity":1}])"), std::string::npos);
  EXPECT_NE(example.find(R"("map":{"1":"value"})"), std::string::npos);
  EXPECT_EQ(example.find(R"("other")"), std::string::npos) << "only the first of a oneof";
}

TEST(CheckJson, TakesExactlyWhatTheStandardDoes) {
  for (const char* good : {"0", "-1.5e+3", "\"\\u00e9\\n\"", " { \"a\" : [ 1 , null ] } ", "[]", "{}", "true"}) {
    EXPECT_TRUE(CheckJson(good).ok()) << good;
  }
  for (const char* bad : {"",    " ",       "01",     "1.",  "1e", "+1",     "'a'", "{a:1}", "[1,]", "{\"a\":1,}",
                          "nul", "\"\\x\"", "\"\t\"", "\"a", "[1", "{\"a\"", "1 2", "NaN",   "\xff", "\"\\u12g4\""}) {
    EXPECT_FALSE(CheckJson(bad).ok()) << bad;
  }
  EXPECT_EQ(CheckJson("{\n  \"a\": x}").message(), "line 2, column 8: expected a value");
  EXPECT_FALSE(CheckJson(std::string(1000000, '[')).ok());
}

}  // namespace
}  // namespace cloudstate::userfunction
