#pragma once

#include <cstdint>
#include <initializer_list>

namespace cloudstate::cluster {

// A number that stands for these numbers in this order. Sums of such numbers stand for sets, which then have the same
// digest however they came about. FNV-1a (Fowler, Noll, Vo) over the bytes, and on top the last steps of MurmurHash3
// (Appleby), without which sums of similar things would be similar.
inline std::uint64_t DigestOf(std::initializer_list<std::uint64_t> numbers) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::uint64_t number : numbers) {
    for (int byte = 0; byte < 8; ++byte, number >>= 8) hash = (hash ^ (number & 0xff)) * 0x100000001b3;
  }
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}

}  // namespace cloudstate::cluster
