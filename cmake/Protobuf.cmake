find_program(PROTOC protoc REQUIRED)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

# What is the same with and without sanitizers, generated code above all, a tree with them takes from one without. Who
# names that has its target `shared` built there first.
set(CLOUDSTATE_SHARED "" CACHE PATH "A build tree of the same sources to take from what need not be built twice")
add_custom_target(shared)

# What stands in the place of a target's FILE in that tree; empty where it is not there.
function(shared_file variable file)
  set(${variable} "" PARENT_SCOPE)
  file(RELATIVE_PATH folder ${CMAKE_BINARY_DIR} ${CMAKE_CURRENT_BINARY_DIR})
  if(CLOUDSTATE_SHARED AND EXISTS ${CLOUDSTATE_SHARED}/${folder}/${file})
    set(${variable} ${CLOUDSTATE_SHARED}/${folder}/${file} PARENT_SCOPE)
  endif()
endfunction()

# protobuf_library(TARGET ROOTS dir... FILES file... [DEPENDS target...] [NO_STUBS])
# A static library of the C++ code for FILES, each named as it is imported and looked up in ROOTS. Files with services get
# their gRPC stubs as well, unless nobody calls them. Warnings are off for it: it is not our code.
function(protobuf_library target)
  cmake_parse_arguments(ARG "NO_STUBS" "" "ROOTS;FILES;DEPENDS" ${ARGN})
  shared_file(library lib${target}.a)
  if(library)
    add_library(${target} STATIC IMPORTED GLOBAL)
    cmake_path(GET library PARENT_PATH there)
    set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${library} PROTO_ROOTS "${ARG_ROOTS}")
    target_include_directories(${target} SYSTEM INTERFACE ${there}/${target}_generated)
    target_link_libraries(${target} INTERFACE grpc_static ${ARG_DEPENDS})
    return()
  endif()
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${target}_generated)
  file(MAKE_DIRECTORY ${out})
  set(includes ${ARG_ROOTS})
  foreach(dependency IN LISTS ARG_DEPENDS)
    get_target_property(roots ${dependency} PROTO_ROOTS)
    list(APPEND includes ${roots})
  endforeach()
  list(TRANSFORM includes PREPEND "-I")
  set(sources)
  foreach(file IN LISTS ARG_FILES)
    foreach(root IN LISTS ARG_ROOTS)
      if(EXISTS ${root}/${file})
        set(path ${root}/${file})
      endif()
    endforeach()
    string(REGEX REPLACE "\\.proto$" "" stem ${file})
    file(STRINGS ${path} services REGEX "^service ")
    set(generated ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
    set(grpc_flags)
    if(services AND NOT ARG_NO_STUBS)
      list(APPEND generated ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h)
      set(grpc_flags --grpc_out=${out} --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN})
    endif()
    add_custom_command(
      OUTPUT ${generated}
      COMMAND ${PROTOC} ${includes} --cpp_out=${out} ${grpc_flags} ${path}
      DEPENDS ${path}
      VERBATIM)
    list(APPEND sources ${generated})
  endforeach()
  add_library(${target} STATIC ${sources})
  target_include_directories(${target} SYSTEM PUBLIC ${out})
  target_compile_options(${target} PRIVATE -w)
  if(CLOUDSTATE_SANITIZE MATCHES address)
    target_compile_options(${target} PRIVATE -fno-sanitize=all)  # these files take the compiler longest of all
  endif()
  target_link_libraries(${target} PUBLIC grpc_static ${ARG_DEPENDS})
  add_dependencies(shared ${target})
  # Each of these files gives its tables the same names.
  set_target_properties(${target} PROPERTIES PROTO_ROOTS "${ARG_ROOTS}" UNITY_BUILD OFF)
endfunction()
