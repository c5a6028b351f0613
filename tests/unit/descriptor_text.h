#pragma once

#include <initializer_list>
#include <memory>
#include <string>

#include "emulator/userfunction/descriptors.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace cloudstate::testing {

// A descriptor file from protobuf's text format.
inline google::protobuf::FileDescriptorProto FileFromText(const std::string& text) {
  google::protobuf::FileDescriptorProto file;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &file)) << text;
  return file;
}

// A serialized FileDescriptorSet of descriptor files in text format.
inline std::string DescriptorSetFromText(std::initializer_list<std::string> files) {
  google::protobuf::FileDescriptorSet set;
  for (const std::string& file : files) *set.add_file() = FileFromText(file);
  return set.SerializeAsString();
}

inline std::unique_ptr<google::protobuf::DescriptorPool> PoolFromText(std::initializer_list<std::string> files) {
  auto pool = userfunction::BuildPool(DescriptorSetFromText(files), userfunction::Dialect::k0_2);
  EXPECT_TRUE(pool.ok()) << pool.status();
  return pool.ok() ? *std::move(pool) : nullptr;
}

}  // namespace cloudstate::testing
