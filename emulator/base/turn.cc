#include "emulator/base/turn.h"

#include <utility>

namespace cloudstate::base {
namespace {

thread_local Turn* current_turn = nullptr;

}  // namespace

Turn::Turn() : outermost_(current_turn == nullptr) {
  if (outermost_) current_turn = this;
}

Turn::~Turn() {
  RunDeferred();
  if (outermost_) current_turn = nullptr;
}

void Turn::Defer(Task task) {
  Turn turn;
  current_turn->deferred_.push_back(std::move(task));
}

void Turn::RunDeferred() {
  while (!deferred_.empty()) {
    for (Task& each : std::exchange(deferred_, {})) {
      Task next = std::move(each);  // what it holds is let go of before the next one runs
      std::move(next)();
    }
  }
}

}  // namespace cloudstate::base
