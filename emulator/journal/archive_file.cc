#include "emulator/journal/archive_file.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace cloudstate::journal {
namespace {

// Half as fast again as zlib's default, for a tenth more bytes.
constexpr char kWriteMode[] = "wb4";
constexpr unsigned kArchiveBuffer = 256 << 10;
// More than any payload that the emulator takes; a file that is no archive may be one endless line.
constexpr std::size_t kLongestLine = std::size_t{512} << 20;

absl::StatusOr<gzFile> OpenGzip(int descriptor, const char* mode, const std::string& name) {
  const int copy = dup(descriptor);
  gzFile file = copy < 0 ? nullptr : gzdopen(copy, mode);
  if (file == nullptr) {
    const int error = errno;
    if (copy >= 0) close(copy);
    return absl::ErrnoToStatus(error, absl::StrCat("cannot use ", name));
  }
  gzbuffer(file, kArchiveBuffer);
  return file;
}

std::uint32_t Checksum(std::uint32_t so_far, std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(so_far, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<z_size_t>(bytes.size())));
}

}  // namespace

absl::StatusOr<ArchiveOutput> ArchiveOutput::To(int descriptor, std::string name) {
  absl::StatusOr<gzFile> file = OpenGzip(descriptor, kWriteMode, name);
  if (!file.ok()) return file.status();
  return ArchiveOutput(*file, std::move(name));
}

absl::Status ArchiveOutput::Write(std::string_view line) {
  for (const std::string_view bytes : {line, std::string_view("\n")}) {
    errno = 0;
    if (!bytes.empty() && gzfwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) return Failed(errno);
    checksum_ = Checksum(checksum_, bytes);
  }
  return absl::OkStatus();
}

absl::Status ArchiveOutput::Finish() {
  errno = 0;
  return gzclose(file_.release()) == Z_OK ? absl::OkStatus() : Failed(errno);
}

absl::Status ArchiveOutput::Failed(int error) const {
  return absl::ErrnoToStatus(error == 0 ? EIO : error, absl::StrCat("cannot write ", name_));
}

absl::StatusOr<ArchiveInput> ArchiveInput::From(int descriptor, std::string name) {
  absl::StatusOr<gzFile> file = OpenGzip(descriptor, "rb", name);
  if (!file.ok()) return file.status();
  return ArchiveInput(*file, std::move(name));
}

absl::StatusOr<bool> ArchiveInput::Next() {
  before_ = checksum_;
  std::size_t searched = begin_;
  std::size_t end = buffer_.find('\n', searched);
  while (end == std::string::npos) {
    searched = buffer_.size() - begin_;
    buffer_.erase(0, begin_);
    begin_ = 0;
    absl::StatusOr<bool> more = Fill();
    if (!more.ok()) return more.status();
    if (!*more && buffer_.empty()) return false;
    if (!*more) {
      return absl::DataLossError(absl::StrCat(name_, " ends within line ", number_ + 1, ": the file has been cut."));
    }
    end = buffer_.find('\n', searched);
  }
  line_ = std::string_view(buffer_).substr(begin_, end - begin_);
  checksum_ = Checksum(checksum_, std::string_view(buffer_).substr(begin_, end - begin_ + 1));
  begin_ = end + 1;
  ++number_;
  return true;
}

absl::StatusOr<bool> ArchiveInput::Fill() {
  const std::size_t size = buffer_.size();
  if (size > kLongestLine) {
    return absl::InvalidArgumentError(absl::StrCat(name_, ":", number_ + 1, ": the line is longer than any may be."));
  }
  buffer_.resize(size + kArchiveBuffer);
  errno = 0;
  const int count = gzread(file_.get(), buffer_.data() + size, kArchiveBuffer);
  buffer_.resize(size + static_cast<std::size_t>(count < 0 ? 0 : count));
  if (count > 0) return true;
  // A file that ends before gzip's own end is told by this alone.
  int error = Z_OK;
  gzerror(file_.get(), &error);
  if (count < 0 || error != Z_OK) return Failed();
  return false;
}

absl::Status ArchiveInput::Failed() const {
  const int system_error = errno;
  int error = Z_OK;
  const char* text = gzerror(file_.get(), &error);
  if (error == Z_ERRNO) return absl::ErrnoToStatus(system_error, absl::StrCat("cannot read ", name_));
  if (error == Z_BUF_ERROR) {
    return absl::DataLossError(
        absl::StrCat(name_, " ends behind line ", number_, ": the file has been cut. Copy or export it again."));
  }
  return absl::DataLossError(
      absl::StrCat(name_, " is damaged behind line ", number_, " (", text, "). Copy or export it again."));
}

}  // namespace cloudstate::journal
