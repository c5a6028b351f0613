#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cerrno>
#include <deque>
#include <mutex>

namespace cloudstate::journal {

// SQLite's own file layer, but for writes, syncs and truncations that fail when a test says so. While one exists, files
// that are opened go through it. One at a time.
class FaultDisk {
 public:
  FaultDisk() : layer_(*sqlite3_vfs_find(nullptr)), original_open_(layer_.xOpen) {
    current_ = this;
    layer_.zName = "fault-disk";
    layer_.xOpen = [](sqlite3_vfs* layer, const char* name, sqlite3_file* file, int flags, int* out) {
      const int code = current_->original_open_(layer, name, file, flags, out);
      if (file->pMethods != nullptr) file->pMethods = current_->Wrap(file->pMethods);
      return code;
    };
    sqlite3_vfs_register(&layer_, 1);
  }
  ~FaultDisk() { sqlite3_vfs_unregister(&layer_); }
  FaultDisk(const FaultDisk&) = delete;
  FaultDisk& operator=(const FaultDisk&) = delete;

  // Lets `operations` go well, and all after them fail with `code` until Mend.
  void FailAfter(int operations, int code, int system_error) {
    code_ = code;
    system_error_ = system_error;
    left_ = operations;
    failed_ = false;
    failing_ = true;
  }
  void Mend() { failing_ = false; }

  // Whether something has failed since FailAfter.
  bool Failed() const { return failed_; }

 private:
  struct Methods {
    sqlite3_io_methods table;  // first: what a file points to
    const sqlite3_io_methods* original;
  };

  static const sqlite3_io_methods* Original(sqlite3_file* file) {
    return reinterpret_cast<const Methods*>(file->pMethods)->original;
  }

  int Check() {
    if (!failing_ || left_-- > 0) return SQLITE_OK;
    failed_ = true;
    errno = system_error_;
    return code_;
  }

  const sqlite3_io_methods* Wrap(const sqlite3_io_methods* original) {
    std::lock_guard lock(mutex_);
    Methods& methods = methods_.emplace_back(Methods{*original, original});
    methods.table.xWrite = [](sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
      const int code = current_->Check();
      return code != SQLITE_OK ? code : Original(file)->xWrite(file, data, size, offset);
    };
    methods.table.xSync = [](sqlite3_file* file, int flags) {
      const int code = current_->Check();
      return code != SQLITE_OK ? code : Original(file)->xSync(file, flags);
    };
    methods.table.xTruncate = [](sqlite3_file* file, sqlite3_int64 size) {
      const int code = current_->Check();
      return code != SQLITE_OK ? code : Original(file)->xTruncate(file, size);
    };
    return &methods.table;
  }

  static inline FaultDisk* current_ = nullptr;

  sqlite3_vfs layer_;
  int (*original_open_)(sqlite3_vfs*, const char*, sqlite3_file*, int, int*);
  std::mutex mutex_;
  std::deque<Methods> methods_;  // stay where they are
  std::atomic<bool> failing_ = false;
  std::atomic<bool> failed_ = false;
  std::atomic<int> left_ = 0;
  std::atomic<int> code_ = SQLITE_OK;
  std::atomic<int> system_error_ = 0;
};

}  // namespace cloudstate::journal
