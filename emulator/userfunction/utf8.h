#pragma once

#include <string>
#include <string_view>

namespace cloudstate::userfunction {

// Whether `text` is well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, surrogates or values past U+10FFFF.
bool IsValidUtf8(std::string_view text);

// `text` as UTF-8: each byte that belongs to no character is replaced by U+FFFD.
std::string ToUtf8(std::string_view text);

}  // namespace cloudstate::userfunction
