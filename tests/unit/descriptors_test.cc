#include "emulator/userfunction/descriptors.h"

#include <string>

#include "cloudstate/entity_key.pb.h"
#include "cloudstate/legacy_entity_key.pb.h"
#include "emulator/userfunction/entity_id.h"
#include "google/api/annotations.pb.h"
#include "google/protobuf/descriptor.pb.h"
#include "gtest/gtest.h"
#include "tests/unit/descriptor_text.h"

namespace cloudstate::userfunction {
namespace {

using cloudstate::testing::DescriptorSetFromText;

const std::string kItem = R"(
  name: "domain/item.proto" package: "shop" syntax: "proto3"
  message_type { name: "Item" field { name: "sku" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL } })";

const std::string kCart = R"(
  name: "cart.proto" package: "shop" syntax: "proto3"
  dependency: "google/protobuf/empty.proto" dependency: "google/api/annotations.proto"
  dependency: "cloudstate/entity_key.proto" dependency: "domain/item.proto"
  message_type {
    name: "Add"
    field { name: "user_id" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL options { [cloudstate.entity_key]: true } }
    field { name: "item" number: 2 type: TYPE_MESSAGE type_name: ".shop.Item" label: LABEL_OPTIONAL }
  }
  service { name: "Carts" method {
    name: "AddItem" input_type: ".shop.Add" output_type: ".google.protobuf.Empty"
    options { [google.api.http] { post: "/carts/{user_id}" body: "*" } } } })";

std::string ErrorOf(const std::string& set, Dialect dialect = Dialect::k0_2) {
  const auto pool = BuildPool(set, dialect);
  EXPECT_FALSE(pool.ok());
  return pool.ok() ? "" : std::string(pool.status().message());
}

TEST(Descriptors, FilesMayComeBeforeWhatTheyImportAndWithoutWhatIsSupplied) {
  const auto pool = BuildPool(DescriptorSetFromText({kCart, kItem}), Dialect::k0_2);
  ASSERT_TRUE(pool.ok()) << pool.status();
  const auto* method = (*pool)->FindMethodByName("shop.Carts.AddItem");
  ASSERT_NE(method, nullptr);
  EXPECT_EQ(method->options().GetExtension(google::api::http).post(), "/carts/{user_id}");
  EXPECT_EQ(method->output_type()->full_name(), "google.protobuf.Empty");
  EXPECT_NE((*pool)->FindFileByName("google/api/http.proto"), nullptr);
  EXPECT_NE((*pool)->FindFileByName("cloudstate/entity_key.proto"), nullptr);
}

TEST(Descriptors, EveryDialectSuppliesItsOwnCloudstateFiles) {
  const std::string set = DescriptorSetFromText({R"(name: "a.proto" dependency: "cloudstate/entity_key.proto")"});
  const auto older = BuildPool(set, Dialect::k0_1);
  const auto newer = BuildPool(set, Dialect::k0_2);
  ASSERT_TRUE(older.ok() && newer.ok());
  EXPECT_EQ((*older)->FindExtensionByName("cloudstate.entity_key")->number(), 50002);
  EXPECT_EQ((*newer)->FindExtensionByName("cloudstate.entity_key")->number(), 1080);
}

TEST(Descriptors, TheWellKnownTypesAreThereWithoutAnImport) {
  const auto pool = BuildPool("", Dialect::k0_2);
  ASSERT_TRUE(pool.ok());
  EXPECT_NE((*pool)->FindMessageTypeByName("google.protobuf.StringValue"), nullptr);
  EXPECT_NE((*pool)->FindMessageTypeByName("google.protobuf.Struct"), nullptr);
}

class OwnEntityKey : public ::testing::TestWithParam<std::tuple<Dialect, int>> {};

TEST_P(OwnEntityKey, WinsOverTheSuppliedOneAndMarksKeys) {
  const auto [dialect, number] = GetParam();
  const std::string own = R"(name: "cloudstate/entity_key.proto" package: "cloudstate" syntax: "proto3"
    dependency: "google/protobuf/descriptor.proto"
    extension { name: "entity_key" number: )" +
                          std::to_string(number) +
                          R"( type: TYPE_BOOL label: LABEL_OPTIONAL extendee: ".google.protobuf.FieldOptions" })";
  const std::string option = number == 1080 ? "cloudstate.entity_key" : "cloudstate.legacy_entity_key";
  const std::string user = R"(name: "a.proto" syntax: "proto3" dependency: "cloudstate/entity_key.proto" message_type {
    name: "M" field { name: "id" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL options { [)" +
                           option + R"(]: true } } })";
  const auto pool = BuildPool(DescriptorSetFromText({user, own}), dialect);
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_EQ((*pool)->FindExtensionByName("cloudstate.entity_key")->number(), number);
  EXPECT_TRUE(HasEntityKey(*(*pool)->FindMessageTypeByName("M")));
}

INSTANTIATE_TEST_SUITE_P(Descriptors, OwnEntityKey,
                         ::testing::Combine(::testing::Values(Dialect::k0_1, Dialect::k0_2),
                                            ::testing::Values(1080, 50002)));

TEST(Descriptors, AFileThatComesTwiceCountsOnce) {
  const auto pool = BuildPool(DescriptorSetFromText({kItem, kCart, kItem, kCart}), Dialect::k0_1);
  EXPECT_TRUE(pool.ok()) << pool.status();
}

TEST(Descriptors, TwoHalvesOfOneFileAreMerged) {
  const std::string half = R"(
    name: "domain/item.proto" package: "shop" syntax: "proto3" source_code_info { location { span: 1 span: 1 span: 1 } }
    message_type { name: "Item" field { name: "sku" json_name: "sku" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL } }
    message_type { name: "Crate" })";
  const auto pool = BuildPool(DescriptorSetFromText({kItem, half, kCart}), Dialect::k0_2);
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_NE((*pool)->FindMessageTypeByName("shop.Crate"), nullptr);
  EXPECT_EQ((*pool)->FindMessageTypeByName("shop.Item")->field_count(), 1);
}

TEST(Descriptors, TwoDefinitionsThatDifferAreRefusedByFileAndName) {
  const std::string other = R"(name: "domain/item.proto" package: "shop" syntax: "proto3"
    message_type { name: "Item" field { name: "sku" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL } })";
  const std::string error = ErrorOf(DescriptorSetFromText({kItem, other}));
  EXPECT_NE(error.find("domain/item.proto twice"), std::string::npos) << error;
  EXPECT_NE(error.find("message shop.Item"), std::string::npos) << error;
}

TEST(Descriptors, OneFileUnderTwoPathsCountsOnceAndBothPathsCanBeImported) {
  std::string moved = kItem;
  moved.replace(moved.find("domain/item.proto"), 17, "item.proto");
  const std::string user = R"(name: "b.proto" syntax: "proto3" dependency: "item.proto" message_type {
    name: "B" field { name: "item" number: 1 type: TYPE_MESSAGE type_name: ".shop.Item" label: LABEL_OPTIONAL } })";
  const auto pool = BuildPool(DescriptorSetFromText({kItem, moved, user, kCart}), Dialect::k0_2);
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_EQ((*pool)->FindMessageTypeByName("B")->field(0)->message_type(), (*pool)->FindMessageTypeByName("shop.Item"));
}

TEST(Descriptors, OfTwoPathsTheFileThatDeclaresMoreIsKept) {
  const std::string more = R"(name: "all.proto" package: "shop" syntax: "proto3"
    message_type { name: "Item" field { name: "sku" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL } }
    message_type { name: "Crate" })";
  const auto pool = BuildPool(DescriptorSetFromText({kItem, more, kCart}), Dialect::k0_2);
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_NE((*pool)->FindMessageTypeByName("shop.Crate"), nullptr);
}

TEST(Descriptors, TwoPathsWithDifferentDefinitionsAreRefused) {
  const std::string other = R"(name: "item.proto" package: "shop" syntax: "proto3" message_type { name: "Item" })";
  const std::string error = ErrorOf(DescriptorSetFromText({kItem, other}));
  EXPECT_NE(error.find("shop.Item in both domain/item.proto and item.proto"), std::string::npos) << error;
}

TEST(Descriptors, AMissingImportIsReplacedByWhoeverDeclaresWhatIsNeeded) {
  std::string moved = kItem;
  moved.replace(moved.find("domain/item.proto"), 17, "persistence.proto");
  const auto pool = BuildPool(DescriptorSetFromText({kCart, moved}), Dialect::k0_1);
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_EQ((*pool)->FindMessageTypeByName("shop.Item")->file()->name(), "persistence.proto");
}

TEST(Descriptors, AMissingImportThatNothingNeedsIsDropped) {
  const auto pool =
      BuildPool(DescriptorSetFromText({R"(name: "a.proto" dependency: "nowhere.proto" dependency: "b.proto"
    public_dependency: 1 weak_dependency: 0 message_type { name: "A" })",
                                       R"(name: "b.proto")"}),
                Dialect::k0_2);
  ASSERT_TRUE(pool.ok()) << pool.status();
  const auto* file = (*pool)->FindFileByName("a.proto");
  ASSERT_EQ(file->dependency_count(), 1);
  EXPECT_EQ(file->public_dependency_count(), 1);
}

TEST(Descriptors, ATypeThatNobodyDeclaresIsNamedWithItsUserAndTheMissingImport) {
  const std::string error = ErrorOf(DescriptorSetFromText({kCart}));
  EXPECT_NE(error.find("cart.proto: shop.Add.item needs shop.Item"), std::string::npos) << error;
  EXPECT_NE(error.find("domain/item.proto"), std::string::npos) << error;
}

TEST(Descriptors, TypesOfImportsThatAreNotEvenListedAreSupplied) {
  const auto pool = BuildPool(DescriptorSetFromText({R"(name: "a.proto" syntax: "proto3" message_type { name: "A"
    field { name: "at" number: 1 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" label: LABEL_OPTIONAL }
    field { name: "meta" number: 2 type: TYPE_MESSAGE type_name: ".cloudstate.Metadata" label: LABEL_OPTIONAL } })"}),
                              Dialect::k0_2);
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_NE((*pool)->FindFileByName("cloudstate/entity.proto"), nullptr);
}

TEST(Descriptors, RelativeTypeNamesAreLookedUpFromTheInside) {
  const auto pool = BuildPool(DescriptorSetFromText({R"(name: "a.proto" package: "p.q" syntax: "proto3" message_type {
    name: "A" nested_type { name: "B" }
    field { name: "b" number: 1 type: TYPE_MESSAGE type_name: "B" label: LABEL_OPTIONAL } })"}),
                              Dialect::k0_2);
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_EQ((*pool)->FindMessageTypeByName("p.q.A")->field(0)->message_type()->full_name(), "p.q.A.B");
}

TEST(Descriptors, WhatIsVisibleThroughAPublicImportNeedsNoImportOfItsOwn) {
  const auto pool = BuildPool(
      DescriptorSetFromText({R"(name: "user.proto" syntax: "proto3" dependency: "facade.proto" message_type { name: "U"
        field { name: "i" number: 1 type: TYPE_MESSAGE type_name: ".shop.Item" label: LABEL_OPTIONAL } })",
                             R"(name: "facade.proto" dependency: "domain/item.proto" public_dependency: 0)", kItem}),
      Dialect::k0_2);
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_EQ((*pool)->FindFileByName("user.proto")->dependency_count(), 1);
}

TEST(Descriptors, ACircleOfImportsIsShown) {
  const std::string error = ErrorOf(
      DescriptorSetFromText({R"(name: "a.proto" dependency: "b.proto")", R"(name: "b.proto" dependency: "a.proto")"}));
  EXPECT_NE(error.find("a.proto -> b.proto -> a.proto"), std::string::npos) << error;
}

TEST(Descriptors, WhatProtobufRejectsIsNamedByFileAndSymbol) {
  const std::string error = ErrorOf(DescriptorSetFromText({R"(name: "a.proto" syntax: "proto3" message_type { name: "A"
    field { name: "x" number: 0 type: TYPE_INT32 label: LABEL_OPTIONAL } })"}));
  EXPECT_NE(error.find("a.proto: A.x"), std::string::npos) << error;
}

TEST(Descriptors, BytesThatAreNoDescriptorSetAreRefused) {
  EXPECT_NE(ErrorOf("\xff\xff").find("FileDescriptorSet"), std::string::npos);
}

TEST(Descriptors, SetsOneAfterTheOtherAreOneSet) {
  const auto pool = BuildPool(DescriptorSetFromText({kCart}) + DescriptorSetFromText({kItem}), Dialect::k0_2);
  EXPECT_TRUE(pool.ok()) << pool.status();
}

TEST(Descriptors, WellKnownTypesAreOursEvenIfTheSetBringsOthers) {
  const auto pool = BuildPool(DescriptorSetFromText({R"(name: "timestamp.proto" package: "google.protobuf"
    message_type { name: "Timestamp" })"}),
                              Dialect::k0_2);
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_EQ((*pool)->FindMessageTypeByName("google.protobuf.Timestamp")->field_count(), 2);
}

}  // namespace
}  // namespace cloudstate::userfunction
