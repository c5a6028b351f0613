#pragma once

#include <zlib.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cloudstate::journal {

// Lines, compressed with gzip: no name and no time in its header, so that equal lines are equal bytes wherever the same
// zlib writes them. For one thread.
class ArchiveOutput {
 public:
  // Writes to a copy of the descriptor; `name` is for errors.
  static absl::StatusOr<ArchiveOutput> To(int descriptor, std::string name);

  // Without its end. RESOURCE_EXHAUSTED for a full disk; UNAVAILABLE for one that fails, or a reader who has gone.
  absl::Status Write(std::string_view line);
  // All that follows the last line; nothing is written afterwards.
  absl::Status Finish();

  // Of the lines so far, with their ends.
  std::uint32_t checksum() const { return checksum_; }

 private:
  struct CloseFile {
    void operator()(gzFile_s* file) const { gzclose(file); }
  };
  ArchiveOutput(gzFile file, std::string name) : file_(file), name_(std::move(name)) {}
  absl::Status Failed(int error) const;

  std::unique_ptr<gzFile_s, CloseFile> file_;
  std::string name_;
  std::uint32_t checksum_ = 0;
};

// Reads them again; lines that are not compressed as well.
class ArchiveInput {
 public:
  static absl::StatusOr<ArchiveInput> From(int descriptor, std::string name);

  // Whether there is one more line, which stays in line() until the next call. INVALID_ARGUMENT for what is no gzip;
  // DATA_LOSS for one that has been cut or damaged; UNAVAILABLE where it can't be read.
  absl::StatusOr<bool> Next();
  std::string_view line() const { return line_; }
  // From 1.
  std::int64_t number() const { return number_; }

  // Of the lines before this one, with their ends.
  std::uint32_t checksum() const { return before_; }
  const std::string& name() const { return name_; }

 private:
  struct CloseFile {
    void operator()(gzFile_s* file) const { gzclose(file); }
  };
  ArchiveInput(gzFile file, std::string name) : file_(file), name_(std::move(name)) {}
  absl::StatusOr<bool> Fill();
  absl::Status Failed() const;

  std::unique_ptr<gzFile_s, CloseFile> file_;
  std::string name_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of the next line in it
  std::string_view line_;  // in it
  std::int64_t number_ = 0;
  std::uint32_t checksum_ = 0;
  std::uint32_t before_ = 0;
};

}  // namespace cloudstate::journal
