#pragma once

#include <utility>

#include "emulator/base/lifetime.h"
#include "emulator/base/strand.h"

namespace cloudstate::base {

// For an answer that comes once, on any thread: hands it to `take` on the strand, unless the owner of `lifetime` has
// gone by then. The strand outlives whoever answers.
template <typename Take>
auto OnStrand(Strand& strand, const Lifetime& lifetime, Take take) {
  return [&strand, take = lifetime.Guard(std::move(take))](auto answer) mutable {
    strand.Post([take = std::move(take), answer = std::move(answer)]() mutable { take(std::move(answer)); });
  };
}

}  // namespace cloudstate::base
