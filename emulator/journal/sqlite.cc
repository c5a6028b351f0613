#include "emulator/journal/sqlite.h"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "emulator/base/view.h"

namespace cloudstate::journal {
namespace {

// How long a statement waits for another process, say a shell that has a transaction open, to let go of the file.
constexpr int kBusyMilliseconds = 5000;

absl::Status DiskFull(const std::string& what) {
  return absl::ResourceExhaustedError(absl::StrCat(
      what,
      ". The disk, or the quota, is full. Everything acknowledged is safe; free some space and the journal goes on."));
}

absl::Status NotPermitted(const std::string& what) {
  return absl::PermissionDeniedError(absl::StrCat(
      what,
      ". Give this user the right to read and write the file and its directory, or choose another data directory."));
}

absl::Status Damaged(const std::string& what) {
  return absl::DataLossError(
      absl::StrCat(what,
                   ". The file is damaged or is not a journal. Check it with `cloudstate-dev doctor`; "
                   "to start afresh, move its directory away."));
}

// An input or output error is what its errno says, if that is one that people can mend.
absl::Status DiskError(const std::string& what, int system_error) {
  switch (system_error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return DiskFull(what);
    case EACCES:
    case EPERM:
    case EROFS:
      return NotPermitted(what);
    default:
      return absl::UnavailableError(
          absl::StrCat(what,
                       ". The disk does not read or write as it should. Everything acknowledged stays where it is; "
                       "look at the system's log, then try again."));
  }
}

// SQLite takes a null pointer for NULL, whatever the length.
const char* NotNull(std::string_view bytes) { return bytes.data() == nullptr ? "" : bytes.data(); }

// The file as a URI, in which some characters have a meaning.
std::string ImmutableUri(std::string_view file) {
  std::string uri = "file:";
  for (const char c : file) {
    if (c == '%' || c == '?' || c == '#') {
      absl::StrAppend(&uri, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    } else {
      uri.push_back(c);
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

absl::Status RemoveStaleSideFiles(const std::string& file) {
  std::error_code error;
  if (std::filesystem::exists(file, error)) return absl::OkStatus();
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {
    std::filesystem::remove(file + suffix, error);
    if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot remove ", file, suffix));
  }
  return absl::OkStatus();
}

absl::Status ErrorOf(sqlite3* database, std::string_view file) {
  const int system_error = errno;
  const int code = sqlite3_extended_errcode(database);
  std::string what = absl::StrCat("journal ", base::ToAbsl(file), ": ", sqlite3_errmsg(database));
  if (system_error != 0 && ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN)) {
    absl::StrAppend(&what, " (", std::generic_category().message(system_error), ")");
  }
  switch (code & 0xff) {
    case SQLITE_FULL:
      return DiskFull(what);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return NotPermitted(what);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT:  // every constraint holds for what the journal writes, unless what is there is wrong
      return Damaged(what);
    case SQLITE_IOERR:
      return DiskError(what, system_error);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(absl::StrCat(
          what,
          ". Another process holds the file's lock; end its transaction (a database shell, maybe) and try again."));
    case SQLITE_NOMEM:
      return absl::ResourceExhaustedError(absl::StrCat(what, ". Give the emulator more memory."));
    default:
      return absl::InternalError(absl::StrCat(what, " (SQLite's code ", code, ")"));
  }
}

bool Cursor::Next() {
  if (!status_.ok()) return false;
  errno = 0;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) status_ = ErrorOf(sqlite3_db_handle(statement_), file_);
  return false;
}

std::string_view Cursor::Bytes(int column) const {
  // Also right for TEXT: the file's encoding is UTF-8, so nothing is converted.
  const void* data = sqlite3_column_blob(statement_, column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

// Binding fails for a wrong index or a text beyond SQLite's limit of a gigabyte, neither of which a caller can bring
// about.
void Statement::Bind(int index, std::int64_t value) { sqlite3_bind_int64(statement_.get(), index, value); }

void Statement::Bind(int index, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), index, NotNull(text), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::Bind(int index, Blob blob) {
  sqlite3_bind_blob64(statement_.get(), index, NotNull(blob.bytes), blob.bytes.size(), SQLITE_STATIC);
}

absl::StatusOr<Connection> Connection::Open(const std::string& file, Mode mode) {
  int flags = SQLITE_OPEN_NOMUTEX;
  std::string name = file;
  switch (mode) {
    case Mode::kCreate:
      flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
      break;
    case Mode::kReadOnly:
      flags |= SQLITE_OPEN_READONLY;
      break;
    case Mode::kImmutable:
      flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
      name = ImmutableUri(file);
      break;
  }
  sqlite3* database = nullptr;
  errno = 0;
  const int code = sqlite3_open_v2(name.c_str(), &database, flags, nullptr);
  if (database == nullptr)
    return absl::ResourceExhaustedError(absl::StrCat("journal ", file, ": no memory to open it"));
  Connection connection(database, file);
  if (code != SQLITE_OK) return ErrorOf(database, file);
  if (mode == Mode::kCreate && sqlite3_db_readonly(database, "main") == 1) {
    return NotPermitted(absl::StrCat("journal ", file, " can be read, but not written"));
  }
  sqlite3_extended_result_codes(database, 1);
  sqlite3_busy_timeout(database, kBusyMilliseconds);
  return connection;
}

absl::Status Connection::Execute(const std::string& sql) {
  errno = 0;
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return absl::OkStatus();
  return ErrorOf(database_.get(), file_);
}

absl::StatusOr<Statement> Connection::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  errno = 0;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return ErrorOf(database_.get(), file_);
  return Statement(statement, file_);
}

Statement Preparer::operator()(std::string_view sql) {
  absl::StatusOr<Statement> statement = connection_.Prepare(sql);
  if (statement.ok()) return *std::move(statement);
  status_.Update(statement.status());
  return Statement();
}

absl::StatusOr<std::int64_t> Connection::QueryInt(std::string_view sql) {
  absl::StatusOr<Statement> statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  Cursor cursor = statement->Query();
  if (cursor.Next()) return cursor.Int(0);
  return cursor.status().ok() ? absl::InternalError(absl::StrCat("no row from ", base::ToAbsl(sql))) : cursor.status();
}

absl::StatusOr<bool> Connection::HasRows(std::string_view table) {
  absl::StatusOr<std::int64_t> rows = QueryInt(
      absl::StrCat("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '", base::ToAbsl(table), "'"));
  if (rows.ok() && *rows > 0) rows = QueryInt(absl::StrCat("SELECT count(*) FROM ", base::ToAbsl(table)));
  if (!rows.ok()) return rows.status();
  return *rows > 0;
}

absl::StatusOr<std::string> Connection::QueryString(std::string_view sql) {
  absl::StatusOr<Statement> statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  Cursor cursor = statement->Query();
  if (cursor.Next()) return cursor.String(0);
  return cursor.status().ok() ? absl::InternalError(absl::StrCat("no row from ", base::ToAbsl(sql))) : cursor.status();
}

}  // namespace cloudstate::journal
