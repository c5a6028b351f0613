#pragma once

#include <optional>
#include <string>

namespace cloudstate::simulation {

// A text as one YAML scalar: as it is, or in quotation marks where it might be taken for something else.
std::string YamlScalar(const std::string& text);

// Its lines as they are, after "|" or "|-"; nothing if it is one line, or such lines would not be read as they are.
std::optional<std::string> YamlLiteral(const std::string& text, const std::string& indent);

// The shortest text that is read as the same number.
std::string YamlNumber(double number);

}  // namespace cloudstate::simulation
