# cmake -DINPUT=file -DOUTPUT=file.cc -DFUNCTION=Name -P embed.cmake
# Writes a C++ source whose function cloudstate::protocol::Name() returns the bytes of INPUT.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" escaped "${hex}")
# Lines of a bearable length; 4 characters stand for one byte.
string(REPEAT "...." 28 line)
string(REGEX REPLACE "(${line})" "\\1\"\n    \"" escaped "${escaped}")
string(LENGTH "${hex}" digits)
math(EXPR size "${digits} / 2")
file(WRITE ${OUTPUT}
"#include \"protocol/descriptors/descriptor_sets.h\"

namespace cloudstate::protocol {

std::string_view ${FUNCTION}() {
  static constexpr char kBytes[] =
    \"${escaped}\";
  return {kBytes, ${size}};
}

}  // namespace cloudstate::protocol
")
