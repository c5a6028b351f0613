#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "tests/bench/load.h"

// The calls that the benchmarks make to the conformance model: of its actions, and of its entities of either kind.
namespace cloudstate::bench {

// Each call is answered with a reply of one short text. Through the emulator's client port.
std::unique_ptr<Calls> ActionCalls(const std::string& address);
std::unique_ptr<Calls> ActionStreams(const std::string& address, std::size_t lanes);

// The same at the user function itself, as the emulator speaks with it.
std::unique_ptr<Calls> DirectActionCalls(const std::string& address);
std::unique_ptr<Calls> DirectActionStreams(const std::string& address, std::size_t lanes);

// Through the emulator; they change nothing.
std::unique_ptr<Calls> EventSourcedCalls(const std::string& address);
std::unique_ptr<Calls> ValueEntityCalls(const std::string& address);

// A message of a stream whose answer is a text of so many bytes.
std::string ActionMessage(std::size_t answer_bytes);

}  // namespace cloudstate::bench
