#pragma once

#include <atomic>
#include <cstddef>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "tests/conformance/kinds_world.h"

namespace cloudstate::kinds {

// A long history has so many events, all together more than the emulator sends ahead of one who does not read.
inline constexpr int kLongHistory = 200;

// A user function of entities that behaves well, but for what the commands' texts and the flags say. Any thread.
class EntityControl {
 public:
  static Behaviour BehaviourOf(const std::shared_ptr<EntityControl>& control);

  // Texts that are not stored and answered "good":
  static constexpr char kHang[] = "hang";              // is never answered
  static constexpr char kRestart[] = "restart";        // fails, and asks for a new stream
  static constexpr char kFail[] = "fail";              // fails, with an event or value that must not be stored
  static constexpr char kDelete[] = "delete";          // "good", and deletes the value
  static constexpr char kLongText[] = "long history";  // "good", and stores a long history

  std::atomic<bool> leave_open = false;    // half-closed streams are not ended
  std::atomic<bool> read_nothing = false;  // the next stream to open is not read

  // Waits for it. 0, 1, 2… in the order of opening since this object is in use.
  ScriptedStream& stream(std::size_t number);

 private:
  void OnOpen(ScriptedStream& stream);

  absl::Mutex mutex_;
  std::vector<ScriptedStream*> streams_ ABSL_GUARDED_BY(mutex_);
};

// One entity from its first command on: its client's and its user function's side of it.
class EntityLife {
 public:
  EntityLife(World& world, Kind kind, std::string id);

  // The outcome, as text.
  std::string Do(const std::string& text);
  std::future<Outcome> Begin(const std::string& text);

  // How a stream begins after these texts have been stored, and with so many commands.
  std::string Opening(const std::vector<std::string>& stored, int commands = 0) const;

  std::int64_t LastSequence() { return world_.LastSequence(kind_, id_); }
  const EntityView& view() const { return view_; }
  EntityControl& control() { return *control_; }

 private:
  World& world_;
  const Kind kind_;
  const std::string id_;
  const EntityView view_;
  const std::shared_ptr<EntityControl> control_ = std::make_shared<EntityControl>();
};

}  // namespace cloudstate::kinds
