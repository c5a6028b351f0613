#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

namespace cloudstate::cluster {

namespace digest_internal {

inline constexpr std::uint64_t kBasis = 0xcbf29ce484222325;

inline std::uint64_t AddByte(std::uint64_t hash, std::uint64_t byte) { return (hash ^ byte) * 0x100000001b3; }

inline std::uint64_t Finish(std::uint64_t hash) {
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}

}  // namespace digest_internal

// A number that stands for these numbers in this order. Sums of such numbers stand for sets, which then have the same
// digest however they came about. FNV-1a (Fowler, Noll, Vo) over the bytes, and on top the last steps of MurmurHash3
// (Appleby), without which sums of similar things would be similar.
inline std::uint64_t DigestOf(std::initializer_list<std::uint64_t> numbers) {
  std::uint64_t hash = digest_internal::kBasis;
  for (std::uint64_t number : numbers) {
    for (int byte = 0; byte < 8; ++byte, number >>= 8) hash = digest_internal::AddByte(hash, number & 0xff);
  }
  return digest_internal::Finish(hash);
}

// The same for a text.
inline std::uint64_t DigestOf(const std::string& text) {
  std::uint64_t hash = digest_internal::kBasis;
  for (const char each : text) hash = digest_internal::AddByte(hash, static_cast<unsigned char>(each));
  return digest_internal::Finish(hash);
}

}  // namespace cloudstate::cluster
