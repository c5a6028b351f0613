#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_replace.h"
#include "cmd/cloudstate-dev/method_description.h"
#include "cmd/cloudstate-dev/paste_lines.h"
#include "cmd/cloudstate-dev/type_table.h"
#include "emulator/admin/type_description.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace cloudstate::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kAddress[] = "127.0.0.1:9000";

// A type of the admin contract's own.
dev::v1::TypeDescription Describe(const std::string& name) {
  const serving::Services services{.pool = dev::v1::Status::descriptor()->file()->pool(), .services = {}};
  absl::StatusOr<dev::v1::TypeDescription> type = admin::DescribeType(services, "cloudstate.dev.v1." + name);
  EXPECT_TRUE(type.ok()) << type.status();
  return *type;
}

class CliDescription : public ::testing::Test {
 protected:
  CliDescription() {
    service_.set_name("shop.Cart");
    service_.set_entity_type("cloudstate.eventsourced.EventSourced");
    method_.set_name("Add");
    method_.set_input_type("shop.Item");
    method_.set_output_type("google.protobuf.Empty");
    method_.set_example(R"({"cartId":"it's","lineItem":{"count":1}})");
    method_.add_key_fields("cart_id");
    AddRoute("POST", "/shop.Cart/Add", "*");
  }

  void AddRoute(const std::string& method, const std::string& path, const std::string& body) {
    dev::v1::HttpBinding& binding = *method_.add_http();
    binding.set_method(method);
    binding.set_path(path);
    binding.set_body(body);
  }
  std::vector<std::string> Lines() const { return CallLines({&service_, &method_}, kAddress); }

  dev::v1::Service service_;
  dev::v1::Method method_;
};

TEST_F(CliDescription, LinesToPasteQuoteForTheShell) {
  const std::string example = R"('{"cartId":"it'\''s","lineItem":{"count":1}}')";
  EXPECT_THAT(Lines(), ElementsAre("cloudstate-dev call shop.Cart/Add " + example,
                                   "curl -H 'content-type: application/json' -d " + example +
                                       " http://127.0.0.1:9000/shop.Cart/Add",
                                   "grpcurl -plaintext -d " + example + " 127.0.0.1:9000 shop.Cart/Add"));
}

TEST_F(CliDescription, TheAuthorsRouteIsPreferredAndItsBodyIsThatPartOfTheExample) {
  AddRoute("PUT", "/carts/{cart_id=*}/items", "line_item");
  EXPECT_EQ(
      Lines()[1],
      R"(curl -H 'content-type: application/json' -d '{"count":1}' -X PUT http://127.0.0.1:9000/carts/cart_id/items)");
}

TEST_F(CliDescription, RoutesSayWhatTheyTakeAndAnswer) {
  AddRoute("GET", "/carts/{cart_id}/items", "");
  method_.mutable_http(1)->set_response_body("items");
  EXPECT_EQ(RouteLines(method_), "  POST /shop.Cart/Add  (body: *)\n  GET /carts/{cart_id}/items  (answers: items)\n");
}

TEST_F(CliDescription, StreamsHaveLinesThatStream) {
  method_.set_example("{}");
  method_.set_server_streaming(true);
  EXPECT_THAT(Lines()[1], HasSubstr("curl -N "));
  EXPECT_EQ(Shape(method_), "answers with a stream");
  method_.set_client_streaming(true);
  EXPECT_EQ(Shape(method_), "streams both ways");
  EXPECT_THAT(Lines(), ElementsAre("cloudstate-dev call shop.Cart/Add '{}' '{}'",
                                   "grpcurl -plaintext -d '{} {}' 127.0.0.1:9000 shop.Cart/Add"));
}

TEST_F(CliDescription, AMethodIsShownWithItsInputAndAsOneJsonDocument) {
  const dev::v1::TypeDescription input = Describe("CallStreamRequest");
  const std::string text = FormatMethod({&service_, &method_}, input, kAddress, Terminal{});
  EXPECT_THAT(text, AllOf(HasSubstr("shop.Cart/Add  EventSourced, unary, key cart_id\n  POST /shop.Cart/Add"),
                          HasSubstr("deadline"), HasSubstr("Call it\n  cloudstate-dev call shop.Cart/Add")));
  google::protobuf::Struct json;
  const std::string document = MethodToJson({&service_, &method_}, input, kAddress);
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(document, &json).ok()) << document;
  EXPECT_EQ(json.fields().at("lines").list_value().values_size(), 3);
  EXPECT_EQ(json.fields().at("method").struct_value().fields().at("name").string_value(), "Add");
}

TEST(CliFields, AreIndentedBelowTheirMessagesWithEnumsOneofsAndMaps) {
  std::string fields = "\n" + FormatFields(Describe("CallStreamRequest"), Terminal{});
  while (absl::StrReplaceAll({{" \n", "\n"}}, &fields) > 0) {  // blanks at the ends of lines
  }
  EXPECT_EQ(fields, R"(
FIELD       TYPE                 WHAT
start       CallStart            one of kind
  service   string
  method    string
  headers   map<string, string>
  deadline  Duration
  token     string
json        string               one of kind
label       string
)");
  EXPECT_THAT(FormatFields(Describe("CausedCommand"), Terminal{}),
              HasSubstr("origin    Origin  ORIGIN_UNSPECIFIED | SIDE_EFFECT | FORWARD\n"));
}

TEST(CliFields, OfATypeThatIsThereAlreadyAreNotRepeated) {
  dev::v1::TypeDescription type;
  dev::v1::MessageType& node = *type.add_messages();
  node.set_name("shop.Node");
  dev::v1::Field& field = *node.add_fields();
  field.set_json_name("children");
  field.set_type("map<string, shop.Node>");
  field.set_nested_type("shop.Node");
  field.set_comment("what is below it");
  EXPECT_EQ(FormatFields(type, Terminal{}),
            "FIELD     TYPE               WHAT\n"
            "children  map<string, Node>  what is below it; fields as above\n");
}

}  // namespace
}  // namespace cloudstate::cli
