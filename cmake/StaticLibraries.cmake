# Debian's pkg-config files name libraries as the linker would look for them, which picks the shared ones. The emulator is
# one file that runs on a machine without any of these packages, so every library that is not part of libc is taken as its
# static archive.
find_package(PkgConfig REQUIRED)

# static_library(TARGET MODULE... [WITH archive...]): an interface target with the static archives of the pkg-config modules
# and, after them, of those that a module needs but does not name.
function(static_library target)
  cmake_parse_arguments(ARG "" "" "WITH" ${ARGN})
  pkg_check_modules(${target}_PC REQUIRED ${ARG_UNPARSED_ARGUMENTS})
  add_library(${target} INTERFACE)
  foreach(name IN LISTS ${target}_PC_STATIC_LIBRARIES ARG_WITH)
    if(name MATCHES "^(pthread|dl|rt|m|atomic)$")
      continue()
    endif()
    find_library(STATIC_${name} NAMES lib${name}.a REQUIRED)
    target_link_libraries(${target} INTERFACE ${STATIC_${name}})
  endforeach()
  target_link_libraries(${target} INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
endfunction()
