#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "emulator/base/planted_bug.h"
#include "emulator/journal/journal.h"

namespace cloudstate::simulation {

// How the simulated journal's file looks: one record after the other, each the body's length (8 bytes, little endian),
// the body's FNV-1a checksum of 64 bits, and the body: an append's key, `expected`, events and snapshot. An append is
// one record, so that it is there whole or not at all. A deletion is an append with nothing but the key and an
// `expected` that no other has.

inline constexpr journal::SequenceNumber kDeletion = -1;

namespace record_log {

inline constexpr std::size_t kHeaderBytes = 16;

inline void PutNumber(std::uint64_t number, std::string& out) {
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(number >> shift));
}

inline void PutText(std::string_view text, std::string& out) {
  PutNumber(text.size(), out);
  out.append(text);
}

inline void PutPayload(const journal::Payload& payload, std::string& out) {
  PutText(payload.type_url, out);
  PutText(payload.value, out);
}

inline std::uint64_t Checksum(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

// Takes values from the front. Once something is missing everything is empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t Number() {
    const std::string_view taken = Take(8);
    std::uint64_t number = 0;
    for (std::size_t i = taken.size(); i-- > 0;) number = (number << 8) | static_cast<unsigned char>(taken[i]);
    return number;
  }
  std::string_view Take(std::uint64_t count) {
    whole_ = whole_ && count <= bytes_.size();
    if (!whole_) return {};
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  std::string Text() { return std::string(Take(Number())); }
  journal::Payload Payload() {
    std::string type_url = Text();
    return {std::move(type_url), Text()};
  }
  bool whole() const { return whole_; }

 private:
  std::string_view bytes_;
  bool whole_ = true;
};

}  // namespace record_log

// Adds the append's record to the end of `log`.
inline void PutRecord(const journal::Append& append, std::string& log) {
  std::string body;
  record_log::PutText(append.key.persistence_id, body);
  record_log::PutText(append.key.entity_id, body);
  record_log::PutNumber(static_cast<std::uint64_t>(append.expected), body);
  record_log::PutNumber(append.events.size(), body);
  for (const journal::Payload& event : append.events) record_log::PutPayload(event, body);
  record_log::PutNumber(append.snapshot.has_value() ? 1 : 0, body);
  if (append.snapshot.has_value()) record_log::PutPayload(*append.snapshot, body);
  record_log::PutNumber(body.size(), log);
  record_log::PutNumber(record_log::Checksum(body), log);
  log += body;
}

// Takes the record at the front of `log`. Nothing, and `log` stays, if it is not whole or its checksum is wrong.
inline std::optional<journal::Append> TakeRecord(std::string_view& log) {
  record_log::Reader header(log);
  const std::uint64_t length = header.Number();
  const std::uint64_t checksum = header.Number();
  const std::string_view bytes = header.Take(length);
  const bool right = record_log::Checksum(bytes) == checksum || IsPlanted(base::PlantedBug::kTornRecordAccepted);
  if (!header.whole() || !right) return std::nullopt;
  record_log::Reader body(bytes);
  journal::Append append;
  append.key.persistence_id = body.Text();
  append.key.entity_id = body.Text();
  append.expected = static_cast<journal::SequenceNumber>(body.Number());
  for (std::uint64_t left = body.Number(); left > 0 && body.whole(); --left) append.events.push_back(body.Payload());
  if (body.Number() != 0) append.snapshot = body.Payload();
  if (!body.whole()) return std::nullopt;
  log.remove_prefix(record_log::kHeaderBytes + length);
  return append;
}

}  // namespace cloudstate::simulation
