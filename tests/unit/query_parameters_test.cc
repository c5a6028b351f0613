#include "emulator/serving/query_parameters.h"

#include <memory>
#include <string>

#include "google/protobuf/dynamic_message.h"
#include "gtest/gtest.h"
#include "tests/unit/descriptor_text.h"
#include "tests/unit/http_types.h"

namespace cloudstate::serving {
namespace {

class QueryParameters : public ::testing::Test {
 protected:
  // The message in text format that a query makes, or the error.
  std::string Set(const std::string& query, const char* body_field = nullptr) {
    const auto* type = pool_->FindMessageTypeByName("t.All");
    const std::unique_ptr<google::protobuf::Message> message(factory_.GetPrototype(type)->New());
    const auto* field = body_field != nullptr ? type->FindFieldByName(body_field) : nullptr;
    const absl::Status status = SetFromQuery(query, field, *message);
    if (!status.ok()) return "error: " + std::string(status.message());
    std::string text = message->ShortDebugString();
    while (!text.empty() && text.back() == ' ') text.pop_back();
    return text;
  }

  std::unique_ptr<google::protobuf::DescriptorPool> pool_ = testing::PoolFromText({testing::kHttpTypes});
  google::protobuf::DynamicMessageFactory factory_;
};

TEST_F(QueryParameters, SetScalarsOfEveryType) {
  EXPECT_EQ(Set("text=a+b%2B%C3%A9"), "text: \"a b+\\303\\251\"");
  EXPECT_EQ(Set("i32=-2147483648&u32=4294967295"), "i32: -2147483648 u32: 4294967295");
  EXPECT_EQ(Set("i64=-9223372036854775808&u64=18446744073709551615"),
            "i64: -9223372036854775808 u64: 18446744073709551615");
  EXPECT_EQ(Set("d=1e3&f=-0.5"), "d: 1000 f: -0.5");
  EXPECT_EQ(Set("d=-Infinity&f=NaN"), "d: -inf f: nan");
  EXPECT_EQ(Set("flag=true"), "flag: true");
  EXPECT_EQ(Set("color=BLUE"), "color: BLUE");
  EXPECT_EQ(Set("color=3"), "color: BLUE");
  EXPECT_EQ(Set("color=17"), "color: 17");
  EXPECT_EQ(Set("data=_-8&text="), "data: \"\\377\\357\"");
  EXPECT_EQ(Set("data=%2F%2B8%3D"), "data: \"\\377\\357\"");
}

TEST_F(QueryParameters, NamesMayBeOfProtoOrJsonAndNested) {
  EXPECT_EQ(Set("user_id=a"), "user_id: \"a\"");
  EXPECT_EQ(Set("userId=a"), "user_id: \"a\"");
  EXPECT_EQ(Set("inner.inner.userId=a&inner.i32=2"), "inner { i32: 2 inner { user_id: \"a\" } }");
}

TEST_F(QueryParameters, RepeatedFieldsTakeEveryOccurrence) {
  EXPECT_EQ(Set("tags=a&numbers=1&tags=b&numbers=2"), "tags: \"a\" tags: \"b\" numbers: 1 numbers: 2");
}

TEST_F(QueryParameters, WellKnownTypesAreGivenAsTheirJsonText) {
  EXPECT_EQ(Set("at=1970-01-01T00:00:01.5Z"), "at { seconds: 1 nanos: 500000000 }");
  EXPECT_EQ(Set("for=-1.5s"), "for { seconds: -1 nanos: -500000000 }");
  EXPECT_EQ(Set("mask=userId,inner.text"), "mask { paths: \"user_id\" paths: \"inner.text\" }");
  EXPECT_EQ(Set("wrapped=7"), "wrapped { value: 7 }");
}

TEST_F(QueryParameters, EmptyPartsAreSkipped) {
  EXPECT_EQ(Set(""), "");
  EXPECT_EQ(Set("&&i32=1&"), "i32: 1");
}

TEST_F(QueryParameters, EveryProblemNamesItsParameter) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"nope=1", "'nope': t.All has no field 'nope'"},
      {"inner.nope=1", "'inner.nope': t.All has no field 'nope'"},
      {"text.x=1", "'text.x': t.All.text has no fields"},
      {"items.quantity=1", "'items.quantity': t.All.items has no fields"},
      {"inner=1", "'inner': t.All.inner is a message"},
      {"map=1", "'map': t.All.map is a message"},
      {"struct=1", "'struct'"},
      {".=1", "'.'"},
      {"=1", "''"},
      {"i32=2147483648", "'i32': expected a 32-bit integer, not '2147483648'"},
      {"i32=", "'i32'"},
      {"i32=1.5", "'i32'"},
      {"i32=+1", "'i32'"},
      {"u32=-1", "'u32': expected an unsigned"},
      {"d=inf", "'d': expected a number"},
      {"f=1e39", "'f'"},
      {"flag=yes", "'flag': expected true or false"},
      {"flag", "'flag'"},
      {"color=GREEN", "'color': expected a value of t.Color"},
      {"data=%25", "'data': expected base64"},
      {"at=yesterday", "'at': expected a time"},
      {"for=1", "'for': expected a duration"},
      {"wrapped=x", "'wrapped': expected a 64-bit"},
      {"i32=1&i32=2", "'i32': given more than once"},
      {"user_id=1&userId=2", "'userId': given more than once"},
      {"one=a&other.quantity=1", "'other.quantity': excludes one"},
      {"text=%zz", "'text': '%zz'"},
      {"text=%ff", "'text'"},
      {"%zz=1", "'%zz'"},
  };
  for (const auto& [query, problem] : cases) {
    const std::string got = Set(query);
    EXPECT_NE(got.find("error: query parameter " + problem), std::string::npos) << query << ": " << got;
  }
}

TEST_F(QueryParameters, TheFieldOfTheBodyIsNone) {
  EXPECT_EQ(Set("inner.i32=1", "inner"), "error: query parameter 'inner.i32': this field is the body of the request");
  EXPECT_EQ(Set("i32=1", "inner"), "i32: 1");
}

TEST_F(QueryParameters, EndlessNestingIsRefused) {
  std::string name = "inner";
  for (int i = 0; i < 10000; ++i) name += ".inner";
  EXPECT_NE(Set(name + ".i32=1").find("more than 32 nested fields"), std::string::npos);
}

}  // namespace
}  // namespace cloudstate::serving
