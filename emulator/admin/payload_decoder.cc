#include "emulator/admin/payload_decoder.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/userfunction/descriptors.h"
#include "emulator/userfunction/payload_json.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/dynamic_message.h"

namespace cloudstate::admin {

struct PayloadDecoder::Types {
  // Null where the set can't be used: kept, so that it isn't tried again.
  std::unique_ptr<google::protobuf::DescriptorPool> pool;
  std::string descriptor_set;
  std::unique_ptr<google::protobuf::DynamicMessageFactory> factory =
      std::make_unique<google::protobuf::DynamicMessageFactory>();
};

namespace {

// Nobody stored which dialect a set goes with, and payloads seldom depend on it.
absl::StatusOr<std::unique_ptr<google::protobuf::DescriptorPool>> BuildPoolOfAnyDialect(const std::string& set) {
  auto pool = userfunction::BuildPool(set, userfunction::Dialect::k0_2);
  if (pool.ok()) return pool;
  auto older = userfunction::BuildPool(set, userfunction::Dialect::k0_1);
  return older.ok() ? std::move(older) : std::move(pool);
}

}  // namespace

PayloadDecoder::PayloadDecoder() = default;
PayloadDecoder::~PayloadDecoder() = default;
PayloadDecoder::PayloadDecoder(PayloadDecoder&&) noexcept = default;

absl::Status PayloadDecoder::Add(const std::string& descriptor_set) {
  auto pool = BuildPoolOfAnyDialect(descriptor_set);
  if (!pool.ok()) return pool.status();
  added_.push_back(std::make_unique<Types>());
  added_.back()->pool = *std::move(pool);
  return absl::OkStatus();
}

void PayloadDecoder::SetStored(const std::vector<std::string>& descriptor_sets) {
  std::vector<std::unique_ptr<Types>> stored;
  for (const std::string& set : descriptor_sets) {
    auto known = std::find_if(stored_.begin(), stored_.end(), [&](const std::unique_ptr<Types>& types) {
      return types != nullptr && types->descriptor_set == set;
    });
    if (known != stored_.end()) {
      stored.push_back(std::move(*known));
      continue;
    }
    auto types = std::make_unique<Types>();
    types->descriptor_set = set;
    if (auto pool = BuildPoolOfAnyDialect(set); pool.ok()) types->pool = *std::move(pool);
    stored.push_back(std::move(types));
  }
  stored_ = std::move(stored);
}

dev::v1::Payload PayloadDecoder::Decode(const journal::Payload& payload) const {
  dev::v1::Payload view;
  view.set_type_url(payload.type_url);
  view.set_value(payload.value);
  for (const auto* all : {&added_, &stored_}) {
    for (const std::unique_ptr<Types>& types : *all) {
      if (types->pool == nullptr) continue;
      userfunction::PayloadJson json =
          userfunction::DecodePayload(payload.type_url, payload.value, types->pool.get(), *types->factory);
      view.set_json(std::move(json.json));
      view.set_described(json.described);
      if (json.described) return view;
    }
  }
  // The protocol's own types, which user functions seldom report: a deletion, an empty message.
  google::protobuf::DynamicMessageFactory factory;
  userfunction::PayloadJson json = userfunction::DecodePayload(
      payload.type_url, payload.value, google::protobuf::DescriptorPool::generated_pool(), factory);
  view.set_json(std::move(json.json));
  view.set_described(json.described);
  return view;
}

absl::StatusOr<std::string> ReadDescriptorFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad())
    return absl::InvalidArgumentError(absl::StrCat("The file ", path, " can't be read."));

  // Bytes of the one kind sometimes parse as the other, but then with fields that it doesn't have.
  google::protobuf::FileDescriptorSet set;
  if (set.ParseFromString(bytes) && set.file_size() > 0 && set.unknown_fields().empty()) return bytes;
  google::protobuf::FileDescriptorProto single;
  if (single.ParseFromString(bytes) && single.has_name() && single.unknown_fields().empty()) {
    google::protobuf::FileDescriptorSet wrapped;
    *wrapped.add_file() = std::move(single);
    return wrapped.SerializeAsString();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "The file ", path, " holds no descriptors. Make it with `protoc --include_imports --descriptor_set_out=", path,
      " FILE.proto`."));
}

}  // namespace cloudstate::admin
