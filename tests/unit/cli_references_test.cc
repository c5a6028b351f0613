#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/entity_reference.h"
#include "emulator/testing/method_reference.h"

namespace cloudstate::cli {
namespace {

using dev::v1::Entity;

// Has these entities, in pages of one.
class FakeJournal final : public JournalSource {
 public:
  explicit FakeJournal(std::vector<std::pair<std::string, std::string>> keys) : keys_(std::move(keys)) {}

  absl::StatusOr<dev::v1::ListEntitiesResponse> ListEntities(const dev::v1::ListEntitiesRequest& request) override {
    dev::v1::ListEntitiesResponse response;
    for (std::size_t i = request.page_token().empty() ? 0 : std::stoul(request.page_token()); i < keys_.size(); ++i) {
      if (!absl::StrContains(keys_[i].second, request.filter().id_contains())) continue;
      *response.add_entities() = MakeEntity(keys_[i]);
      if (i + 1 < keys_.size()) response.set_next_page_token(absl::StrCat(i + 1));
      break;
    }
    return response;
  }
  absl::StatusOr<Entity> GetEntity(const dev::v1::GetEntityRequest& request) override {
    for (const auto& key : keys_) {
      if (key.first == request.persistence_id() && key.second == request.entity_id()) return MakeEntity(key);
    }
    return absl::NotFoundError("nothing under that key");
  }
  absl::StatusOr<dev::v1::ListEventsResponse> ListEvents(const dev::v1::ListEventsRequest&) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<dev::v1::ListSnapshotsResponse> ListSnapshots(const dev::v1::ListSnapshotsRequest&) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<dev::v1::ListNewestEventsResponse> ListNewestEvents(const dev::v1::ListNewestEventsRequest&) override {
    return absl::UnimplementedError("");
  }
  absl::Status Watch(const dev::v1::WatchEventsRequest&, const std::function<void(dev::v1::Event&)>&) override {
    return absl::UnimplementedError("");
  }

 private:
  static Entity MakeEntity(const std::pair<std::string, std::string>& key) {
    Entity entity;
    entity.set_persistence_id(key.first);
    entity.set_entity_id(key.second);
    return entity;
  }

  std::vector<std::pair<std::string, std::string>> keys_;
};

std::string Find(const std::vector<std::string>& words) {
  FakeJournal journal(
      {{"cart", "one"}, {"cart", "two"}, {"cart", "a|b"}, {"user", "two"}, {"user", "two-b"}, {"user", "x|y"}});
  absl::StatusOr<Entity> entity = FindEntity(journal, words);
  if (!entity.ok()) return entity.status().ToString();
  return absl::StrCat(entity->persistence_id(), " ", entity->entity_id());
}

TEST(CliEntityReference, NamesAnEntityByKeyOrByIdAlone) {
  EXPECT_EQ(Find({"cart|two"}), "cart two");
  EXPECT_EQ(Find({"cart", "two"}), "cart two");
  EXPECT_EQ(Find({"one"}), "cart one");
  EXPECT_EQ(Find({"two-b"}), "user two-b");
}

TEST(CliEntityReference, AnIdMayHaveABarInIt) {
  EXPECT_EQ(Find({"cart|a|b"}), "cart a|b");
  EXPECT_EQ(Find({"x|y"}), "user x|y");
  EXPECT_EQ(Find({"user", "x|y"}), "user x|y");
}

TEST(CliEntityReference, AnIdOfSeveralEntitiesListsThem) {
  const std::string found = Find({"two"});
  EXPECT_TRUE(absl::StartsWith(found, "INVALID_ARGUMENT")) << found;
  EXPECT_TRUE(absl::StrContains(found, "cart|two, user|two")) << found;
}

TEST(CliEntityReference, AnUnknownIdNamesSimilarOnes) {
  const std::string found = Find({"tw"});
  EXPECT_TRUE(absl::StartsWith(found, "NOT_FOUND")) << found;
  EXPECT_TRUE(absl::StrContains(found, "cart|two")) << found;
  EXPECT_TRUE(absl::StrContains(Find({"zzz"}), "journal ls"));
}

dev::v1::ListServicesResponse Services() {
  dev::v1::ListServicesResponse services;
  for (const char* name : {"shop.v1.Cart", "shop.v1.User", "shop.v2.User"}) {
    dev::v1::Service& service = *services.add_services();
    service.set_name(name);
    service.add_methods()->set_name("Get");
    service.add_methods()->set_name("Set");
  }
  return services;
}

std::string FindMethodName(const std::string& reference) {
  const dev::v1::ListServicesResponse services = Services();
  const auto method = testing::FindMethod(services, reference);
  return method.ok() ? absl::StrCat(method->service->name(), "/", method->method->name()) : method.status().ToString();
}

TEST(CliMethodReference, TakesFullAndShortNamesWithSlashOrDot) {
  for (const char* reference :
       {"shop.v1.Cart/Get", "/shop.v1.Cart/Get", "shop.v1.Cart.Get", "Cart/Get", "Cart.Get", "v1.Cart/Get"}) {
    EXPECT_EQ(FindMethodName(reference), "shop.v1.Cart/Get") << reference;
  }
}

TEST(CliMethodReference, TellsTheChoicesWhereItIsNoneOrSeveral) {
  EXPECT_TRUE(absl::StrContains(FindMethodName("User/Get"), "shop.v1.User, shop.v2.User"));
  EXPECT_TRUE(absl::StrContains(FindMethodName("Carts/Get"), "did you mean 'Cart'"));
  EXPECT_TRUE(absl::StrContains(FindMethodName("art/Get"), "NOT_FOUND"));
  EXPECT_TRUE(absl::StrContains(FindMethodName("Cart/Put"), "Get, Set"));
  EXPECT_TRUE(absl::StrContains(FindMethodName("Get"), "shop.v1.User.Get"));
  EXPECT_TRUE(absl::StrContains(testing::FindMethod({}, "Cart/Get").status().ToString(), "cloudstate-dev status"));
}

}  // namespace
}  // namespace cloudstate::cli
