#pragma once

#include <cstdint>
#include <string>

#include "emulator/capacity/player.h"

// What tests of the model have in common.
namespace cloudstate::capacity::testing_support {

inline constexpr Nanoseconds kMillisecond = 1'000'000;

inline Load LoadOf(const std::string& text) { return *ParseLoad(text); }

inline Spread Always(Nanoseconds time) { return {Spread::Kind::kConstant, time, 0}; }
inline Spread Exponential(Nanoseconds mean) { return {Spread::Kind::kExponential, 0, mean}; }

// `replicas` of a user function with `workers` each.
inline PlayOptions Fixed(int replicas, int workers, Spread service) {
  PlayOptions options;
  options.settings.mode = scaling::Mode::kManual;
  options.replicas = replicas;
  options.model.workers = workers;
  options.model.service = service;
  options.interval = 60 * kSecond;
  return options;
}

inline PlayOptions Knative(double target, int workers, Spread service) {
  PlayOptions options = Fixed(1, workers, service);
  options.settings.mode = scaling::Mode::kKnative;
  options.settings.knative.target = target;
  options.cold_start = Always(2 * kSecond);
  return options;
}

}  // namespace cloudstate::capacity::testing_support
