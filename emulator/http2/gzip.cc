#include "emulator/http2/gzip.h"

#include <zlib.h>

#include <algorithm>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace cloudstate::http2 {
namespace {

constexpr std::size_t kFirstBytes = 1024;
constexpr int kGzipOnly = 15 + 16;  // zlib's way to say: any window, gzip's header

}  // namespace

absl::StatusOr<std::string> Gunzip(std::string_view bytes, std::size_t max_bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) return absl::InternalError("zlib has no memory");
  const absl::Cleanup end = [&] { inflateEnd(&stream); };
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string result;
  int outcome = Z_OK;
  while (outcome == Z_OK) {
    const std::size_t done = result.size();
    if (done > max_bytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("a compressed message is larger than the limit of ", max_bytes, " bytes"));
    }
    // One byte more than allowed tells that there is more.
    result.resize(std::min(std::max(2 * done, kFirstBytes), max_bytes + 1));
    stream.next_out = reinterpret_cast<Bytef*>(result.data() + done);
    stream.avail_out = static_cast<uInt>(result.size() - done);
    outcome = inflate(&stream, Z_NO_FLUSH);
    result.resize(result.size() - stream.avail_out);
  }
  if (outcome != Z_STREAM_END || stream.avail_in != 0) {
    return absl::InternalError("a message is said to be compressed with gzip, but is not");
  }
  if (result.size() > max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a compressed message is larger than the limit of ", max_bytes, " bytes"));
  }
  return result;
}

}  // namespace cloudstate::http2
