#pragma once

#include <functional>

#include "emulator/fuzzing/sequence.h"

namespace cloudstate::fuzzing {

// The shortest sequence found that still fails, with the plainest values: steps are left out, then fields, elements and
// parts of texts and numbers. `fails` plays a sequence, which costs time; it has failed with `sequence`. At most
// `most_runs` are played.
Sequence Shrink(Sequence sequence, const std::function<bool(const Sequence&)>& fails, int most_runs);

// The same value with one thing less, or smaller, in it: the greatest changes first. None for what is nothing.
std::vector<google::protobuf::Value> Plainer(const google::protobuf::Value& value);

}  // namespace cloudstate::fuzzing
