# What a user function's messages mean: their types, keys, and JSON for people. Without threads or connections.
emulator_library(emulator_descriptors
  SOURCES
    ${CMAKE_CURRENT_LIST_DIR}/descriptor_files.cc
    ${CMAKE_CURRENT_LIST_DIR}/descriptors.cc
    ${CMAKE_CURRENT_LIST_DIR}/entity_id.cc
    ${CMAKE_CURRENT_LIST_DIR}/example_json.cc
    ${CMAKE_CURRENT_LIST_DIR}/json_check.cc
    ${CMAKE_CURRENT_LIST_DIR}/json_text.cc
    ${CMAKE_CURRENT_LIST_DIR}/json_reader.cc
    ${CMAKE_CURRENT_LIST_DIR}/message_json.cc
    ${CMAKE_CURRENT_LIST_DIR}/payload_json.cc
    ${CMAKE_CURRENT_LIST_DIR}/utf8.cc
    ${CMAKE_CURRENT_LIST_DIR}/wire_reader.cc
  DEPENDS emulator_base protocol_descriptors protocol_google)
