#pragma once

#include <cstdint>

#include "absl/status/statusor.h"

namespace cloudstate::userfunction {

// A port of the loopback for a process that is to listen there soon. Until it does, the system gives the port to nobody
// else: with many emulators on one machine, one that was only looked for would now and then be taken meanwhile. Servers
// can have it all the same, since they set SO_REUSEADDR; for one that does not it has to be released.
class ReservedPort {
 public:
  // UNAVAILABLE if there is none.
  static absl::StatusOr<ReservedPort> Take();

  // By its number alone: nobody holds it.
  explicit ReservedPort(std::uint16_t number) : number_(number) {}
  ~ReservedPort();
  ReservedPort(ReservedPort&& other) noexcept;
  ReservedPort& operator=(ReservedPort&& other) noexcept;

  std::uint16_t number() const { return number_; }
  bool held() const { return descriptor_ >= 0; }
  void Release();

 private:
  ReservedPort(int descriptor, std::uint16_t number) : descriptor_(descriptor), number_(number) {}

  int descriptor_ = -1;
  std::uint16_t number_;
};

}  // namespace cloudstate::userfunction
