#pragma once

#include <optional>
#include <string>

namespace cloudstate::testing {

// "NOT_FOUND" of 5; the number for codes that have no name.
std::string CodeText(int code);
// Of "NOT_FOUND", "not found" or "5".
std::optional<int> CodeOf(const std::string& text);
// What is wrong with a text that is no code.
std::string NoSuchCode(const std::string& text);

}  // namespace cloudstate::testing
