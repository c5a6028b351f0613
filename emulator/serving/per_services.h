#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "emulator/serving/backend.h"

namespace cloudstate::serving {

// Something made from the services, and made anew only when the backend has other ones. Any thread.
template <class Made>
class PerServices {
 public:
  using Make = std::function<std::shared_ptr<const Made>(std::shared_ptr<const Services>)>;

  explicit PerServices(Make make) : make_(std::move(make)) {}

  // Shared with the calls in progress, which keep theirs when the services change.
  std::shared_ptr<const Made> Get(const std::shared_ptr<const Services>& services) {
    std::lock_guard lock(mutex_);
    if (services_ != services || made_ == nullptr) {
      made_ = make_(services);
      services_ = services;
    }
    return made_;
  }

 private:
  const Make make_;
  std::mutex mutex_;
  std::shared_ptr<const Services> services_;  // kept, so that its address names it
  std::shared_ptr<const Made> made_;
};

}  // namespace cloudstate::serving
