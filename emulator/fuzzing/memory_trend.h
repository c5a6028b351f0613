#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cloudstate::fuzzing {

// How much memory a process had after each of several rounds of the same load, after each of which nothing was left to
// do for it.
struct MemoryRounds {
  std::int64_t commands = 0;            // in each round
  std::vector<std::int64_t> kibibytes;  // before the first round, and after each
};

enum class Trend {
  kFlat,   // it has found its size
  kGrows,  // it grows with each round, as far as can be seen
  kLeaks,  // and has done so for so long that no warming up explains it
};

// A process that warms up (caches, heaps, compiled code) grows fast at first and then ever less. So only the last third
// of the rounds counts: it grows if nearly all of these rounds (all but one in four) added to it, and together at least
// 4 KiB for each command. That is a leak once it amounts to 64 MiB since the first third. At least nine rounds.
Trend TrendOf(const MemoryRounds& rounds);

// What was measured: "after 24 rounds of 150 commands 212 MiB, …".
std::string TrendText(const MemoryRounds& rounds);

}  // namespace cloudstate::fuzzing
