#include "emulator/userfunction/wire_reader.h"

#include <limits>

namespace cloudstate::userfunction {
namespace {

constexpr int kEndGroup = 4;
constexpr int kGroup = 3;
constexpr int kMaxGroupDepth = 64;
constexpr std::uint64_t kMaxFieldNumber = (1U << 29) - 1;

}  // namespace

bool WireReader::Next(WireField& field) {
  if (!ok_ || rest_.empty()) return false;
  int type = 0;
  if (!ReadTag(field.number, type)) return Fail();
  field.value = 0;
  field.bytes = {};
  if (!ReadValue(type, field)) return Fail();
  field.type = static_cast<WireField::Type>(type);
  return true;
}

bool WireReader::Fail() {
  ok_ = false;
  return false;
}

bool WireReader::ReadTag(int& number, int& type) {
  std::uint64_t tag = 0;
  if (!ReadVarint(tag) || tag > std::numeric_limits<std::uint32_t>::max()) return false;
  number = static_cast<int>(tag >> 3);
  type = static_cast<int>(tag & 7);
  return number >= 1 && static_cast<std::uint64_t>(number) <= kMaxFieldNumber;
}

bool WireReader::ReadValue(int type, WireField& field) {
  switch (type) {
    case 0:
      return ReadVarint(field.value);
    case 1:
      return ReadFixed(sizeof(std::uint64_t), field.value);
    case 2:
      return ReadBytes(field.bytes);
    case kGroup:
      return ReadGroup(field.number, field.bytes);
    case 5:
      return ReadFixed(sizeof(std::uint32_t), field.value);
    default:
      return false;
  }
}

bool WireReader::ReadVarint(std::uint64_t& value) {
  value = 0;
  for (std::size_t i = 0; i < rest_.size() && i < 10; ++i) {
    const auto byte = static_cast<std::uint8_t>(rest_[i]);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      rest_.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

bool WireReader::ReadFixed(std::size_t size, std::uint64_t& value) {
  if (rest_.size() < size) return false;
  value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(rest_[i])) << (8 * i);
  }
  rest_.remove_prefix(size);
  return true;
}

bool WireReader::ReadBytes(std::string_view& bytes) {
  std::uint64_t size = 0;
  if (!ReadVarint(size) || size > rest_.size()) return false;
  bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

bool WireReader::ReadGroup(int number, std::string_view& bytes) {
  if (++depth_ > kMaxGroupDepth) return false;
  const std::string_view start = rest_;
  while (true) {
    const std::string_view before_tag = rest_;
    WireField inner;
    int type = 0;
    if (!ReadTag(inner.number, type)) return false;
    if (type == kEndGroup) {
      --depth_;
      bytes = start.substr(0, start.size() - before_tag.size());
      return inner.number == number;
    }
    if (!ReadValue(type, inner)) return false;
  }
}

}  // namespace cloudstate::userfunction
