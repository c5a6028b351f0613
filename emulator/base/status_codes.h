#pragma once

#include <optional>
#include <string>
#include <vector>

namespace cloudstate::base {

// Of gRPC's status codes, in their order: "OK" first.
const std::vector<std::string>& CodeNames();

// "NOT_FOUND" of 5; the number for codes that have no name.
std::string CodeName(int code);
// Of "NOT_FOUND", "not found" or "5".
std::optional<int> CodeOf(const std::string& text);
// What is wrong with a text that is no code.
std::string NoSuchCode(const std::string& text);

}  // namespace cloudstate::base
