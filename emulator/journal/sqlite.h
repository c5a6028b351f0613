#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cloudstate::journal {

// The little of SQLite that the journal needs, with ownership and absl::Status. A connection and what was prepared on
// it belong to one thread at a time; statements and cursors die before their connection.

// Bytes that are bound and read as a BLOB; a plain string_view is TEXT. Both may hold any bytes, NUL included.
struct Blob {
  std::string_view bytes;
};

// The rows of a query, read while it lives:
//   while (cursor.Next()) { … cursor.Int(0) … }
//   if (!cursor.status().ok()) return cursor.status();
class Cursor {
 public:
  Cursor(sqlite3_stmt* statement, const std::string& file) : statement_(statement), file_(file) {}
  ~Cursor() { sqlite3_reset(statement_); }
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  // Goes to the next row; false at the end and after an error.
  bool Next();
  const absl::Status& status() const { return status_; }

  // Columns of the current row, from 0. Views are valid until Next.
  std::int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string_view Bytes(int column) const;
  std::string String(int column) const { return std::string(Bytes(column)); }
  bool IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

 private:
  sqlite3_stmt* statement_;
  const std::string& file_;
  absl::Status status_;
};

class Statement {
 public:
  Statement() = default;  // of no use before another is moved into it

  // Executes with these parameters (integers, string_views, Blobs), which must live as long as the cursor. One cursor
  // at a time.
  template <typename... Arguments>
  Cursor Query(const Arguments&... arguments) {
    int index = 0;
    (Bind(++index, arguments), ...);
    return Cursor(statement_.get(), file_);
  }

  // The same for a statement without rows. Insert gives the id of the row that it has added.
  template <typename... Arguments>
  absl::Status Run(const Arguments&... arguments) {
    Cursor cursor = Query(arguments...);
    while (cursor.Next()) {
    }
    return cursor.status();
  }
  template <typename... Arguments>
  absl::StatusOr<std::int64_t> Insert(const Arguments&... arguments) {
    if (absl::Status status = Run(arguments...); !status.ok()) return status;
    return sqlite3_last_insert_rowid(sqlite3_db_handle(statement_.get()));
  }

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  Statement(sqlite3_stmt* statement, std::string file) : statement_(statement), file_(std::move(file)) {}

  void Bind(int index, std::int64_t value);
  void Bind(int index, std::string_view text);
  void Bind(int index, Blob blob);

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  std::string file_;  // for error texts
};

class Connection {
 public:
  enum class Mode {
    kCreate,     // read and write; the file is made if missing
    kReadOnly,   // works beside a writing process
    kImmutable,  // without locks or side files: only where nobody can write
  };
  static absl::StatusOr<Connection> Open(const std::string& file, Mode mode);

  // Runs statements, separated by semicolons, that have no rows or whose rows don't matter.
  absl::Status Execute(const std::string& sql);

  absl::StatusOr<Statement> Prepare(std::string_view sql);

  // The first column of the first row.
  absl::StatusOr<std::int64_t> QueryInt(std::string_view sql);
  absl::StatusOr<std::string> QueryString(std::string_view sql);
  // Whether there is such a table, and something in it.
  absl::StatusOr<bool> HasRows(std::string_view table);

  std::int64_t ChangedRows() const { return sqlite3_changes64(database_.get()); }
  bool InTransaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }
  const std::string& file() const { return file_; }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  Connection(sqlite3* database, std::string file) : database_(database), file_(std::move(file)) {}

  std::unique_ptr<sqlite3, Close> database_;
  std::string file_;
};

// Prepares many statements and keeps the first error.
class Preparer {
 public:
  explicit Preparer(Connection& connection) : connection_(connection) {}

  Statement operator()(std::string_view sql);
  const absl::Status& status() const { return status_; }

 private:
  Connection& connection_;
  absl::Status status_;
};

// Removes what SQLite left beside a file that is not there: it would take that for a part of the next one of that name.
// Nobody has it open.
absl::Status RemoveStaleSideFiles(const std::string& file);

// The newest error of a connection as a status that a person can act on. It names the file. For errors of the disk
// errno tells more (SQLite's own record of it leaves out commits): it was 0 before the call that failed.
//   RESOURCE_EXHAUSTED  disk or quota full; PERMISSION_DENIED  may not be read or written; DATA_LOSS  damaged, or no
//   database; UNAVAILABLE  the disk fails, or another process holds the file's lock; INTERNAL  anything else.
absl::Status ErrorOf(sqlite3* database, std::string_view file);

}  // namespace cloudstate::journal
