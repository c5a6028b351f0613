#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <utility>

#include "grpcpp/grpcpp.h"

namespace cloudstate::cli {

// Ends the calls that are under way, and all that would follow, when somebody wants to. Any thread.
class CallEnd {
 public:
  // While it lives, a call that `cancel` ends is under way.
  class Guard {
   public:
    Guard(CallEnd& end, std::function<void()> cancel) : end_(end), cancel_(std::move(cancel)) {
      const std::lock_guard lock(end_.mutex_);
      end_.under_way_.insert(this);
      if (end_.interrupted_) cancel_();
    }
    Guard(CallEnd& end, grpc::ClientContext& context) : Guard(end, [&context] { context.TryCancel(); }) {}
    ~Guard() {
      const std::lock_guard lock(end_.mutex_);
      end_.under_way_.erase(this);
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    friend class CallEnd;

    CallEnd& end_;
    const std::function<void()> cancel_;
  };

  void Interrupt() {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    for (const Guard* each : under_way_) each->cancel_();
  }
  bool interrupted() const {
    const std::lock_guard lock(mutex_);
    return interrupted_;
  }

 private:
  mutable std::mutex mutex_;
  bool interrupted_ = false;
  std::set<const Guard*> under_way_;
};

}  // namespace cloudstate::cli
