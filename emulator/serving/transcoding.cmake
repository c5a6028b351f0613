# HTTP and JSON to and from messages. Without threads or connections.
emulator_library(emulator_transcoding
  SOURCES
    ${CMAKE_CURRENT_LIST_DIR}/bindings.cc
    ${CMAKE_CURRENT_LIST_DIR}/field_text.cc
    ${CMAKE_CURRENT_LIST_DIR}/nearest_routes.cc
    ${CMAKE_CURRENT_LIST_DIR}/path_template.cc
    ${CMAKE_CURRENT_LIST_DIR}/percent.cc
    ${CMAKE_CURRENT_LIST_DIR}/query_parameters.cc
    ${CMAKE_CURRENT_LIST_DIR}/route_table.cc
    ${CMAKE_CURRENT_LIST_DIR}/transcoder.cc
  DEPENDS emulator_descriptors protocol_google)
