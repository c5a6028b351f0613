#pragma once

#include <string>
#include <string_view>

namespace cloudstate::userfunction {

// Appends `text`, which must be valid UTF-8, as a JSON string with its quotes.
void AppendJsonString(std::string_view text, std::string& out);

// Appends the shortest text that reads back as the same number; "NaN", "Infinity" and "-Infinity" as strings.
void AppendJsonNumber(double value, std::string& out);
void AppendJsonNumber(float value, std::string& out);

// Appends bytes as a JSON string in standard base64.
void AppendJsonBytes(std::string_view bytes, std::string& out);

}  // namespace cloudstate::userfunction
