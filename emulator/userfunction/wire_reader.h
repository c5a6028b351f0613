#pragma once

#include <cstdint>
#include <string_view>

namespace cloudstate::userfunction {

// Walks over the top-level fields of one serialized message, in place and without knowing its type.
//
//   WireReader reader(bytes);
//   for (WireField field; reader.Next(field);) ...
//   if (!reader.ok()) ...  // the bytes were no message
struct WireField {
  enum class Type { kVarint = 0, kFixed64 = 1, kBytes = 2, kGroup = 3, kFixed32 = 5 };

  int number = 0;
  Type type = Type::kVarint;
  std::uint64_t value = 0;  // of the three numeric types
  std::string_view bytes;   // of kBytes and kGroup; points into the message
};

class WireReader {
 public:
  // `message` must outlive the reader and the fields it gave.
  explicit WireReader(std::string_view message) : rest_(message) {}

  // The next field; false at the end and at the first malformed byte.
  bool Next(WireField& field);

  // False once malformed bytes were met.
  bool ok() const { return ok_; }

 private:
  bool Fail();
  bool ReadTag(int& number, int& type);
  bool ReadVarint(std::uint64_t& value);
  bool ReadFixed(std::size_t size, std::uint64_t& value);
  bool ReadBytes(std::string_view& bytes);
  bool ReadGroup(int number, std::string_view& bytes);
  bool ReadValue(int type, WireField& field);

  std::string_view rest_;
  int depth_ = 0;  // groups that are open
  bool ok_ = true;
};

}  // namespace cloudstate::userfunction
