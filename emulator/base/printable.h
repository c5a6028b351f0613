#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cloudstate::base {

// Bytes of the UTF-8 character that `text` begins with; 0 where it begins with none.
std::size_t CharacterBytes(std::string_view text);

// At most so many bytes of what `text` begins with, cut between characters.
std::string_view Beginning(std::string_view text, std::size_t most_bytes);

// With \xNN for every byte of control characters, but for those in `kept`, and of what is no UTF-8, so that terminals
// and readers of XML and YAML take it as text.
std::string Printable(std::string_view text, std::string_view kept = "");

}  // namespace cloudstate::base
