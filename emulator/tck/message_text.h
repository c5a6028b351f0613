#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/message.h"

namespace cloudstate::tck {

// A message as text for people: its type, then a line for each field; what stands in an Any is shown with its own type.
std::string MessageText(const google::protobuf::Message& message);

// The same as one line, cut where it gets long.
std::string MessageLine(const google::protobuf::Message& message);

// Whether two messages of one type say the same: defaults that are written out, or the order of fields, make no
// difference; fields that nobody knows do. What stands for a set, as the elements of a CRDT's delta, has no order.
bool SameMessage(const google::protobuf::Message& one, const google::protobuf::Message& other);

enum class Mark { kSame, kExpected, kReceived };
struct DiffLine {
  Mark mark = Mark::kSame;
  std::string text;
};
using Diff = std::vector<DiffLine>;

// Line by line, with as few lines marked as there can be.
Diff CompareLines(std::string_view expected, std::string_view received);

// "  ", "- " or "+ " before each line.
std::string DiffText(const Diff& diff);

}  // namespace cloudstate::tck
