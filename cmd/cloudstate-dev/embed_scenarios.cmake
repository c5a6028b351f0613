# cmake -DDIRECTORY=dir -DNAMES=a,b -DOUTPUT=file.cc -P embed_scenarios.cmake
# Writes a C++ source with the texts of DIRECTORY/a.yaml, DIRECTORY/b.yaml, … in this order.
string(REPLACE "," ";" NAMES "${NAMES}")
set(entries "")
foreach(name IN LISTS NAMES)
  file(READ ${DIRECTORY}/${name}.yaml text)
  string(APPEND entries "    {\"${name}\", R\"yaml(${text})yaml\"},\n")
endforeach()
file(WRITE ${OUTPUT}
"#include \"cmd/cloudstate-dev/sample_scenarios.h\"

namespace cloudstate::cli {

std::span<const SampleScenario> SampleScenarios() {
  static constexpr SampleScenario kScenarios[] = {
${entries}  };
  return kScenarios;
}

}  // namespace cloudstate::cli
")
