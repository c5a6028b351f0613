#pragma once

#include <memory>
#include <utility>

namespace cloudstate::base {

// Member of an object that leaves callbacks behind on its own strand: guarded ones do nothing once the object has gone.
class Lifetime {
 public:
  Lifetime() = default;
  ~Lifetime() { *alive_ = false; }
  Lifetime(const Lifetime&) = delete;
  Lifetime& operator=(const Lifetime&) = delete;

  template <typename Callback>
  auto Guard(Callback callback) const {
    return [alive = alive_, callback = std::move(callback)]<typename... Args>(Args&&... args) mutable {
      if (*alive) callback(std::forward<Args>(args)...);
    };
  }

  // What was guarded until now does nothing any more.
  void Renew() {
    *alive_ = false;
    alive_ = std::make_shared<bool>(true);
  }

 private:
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace cloudstate::base
