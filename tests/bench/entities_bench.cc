// How long people wait for a page of a million entities.
//
//   entities_bench           in about half a minute, most of which makes the entities
//   entities_bench --quick   with hardly any entities: shows that it works, not how fast

#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "emulator/journal/sqlite_browser.h"
#include "emulator/journal/sqlite_journal.h"
#include "tests/bench/goals.h"
#include "tests/bench/quick_or_whole.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate::bench {
namespace {

using journal::EntityFilter;
using journal::EntityPage;

constexpr double kPageGoal = 50;     // milliseconds
constexpr double kSearchGoal = 500;  // with a search that finds nothing
constexpr int kPageSize = 100;

// Rows such as the emulator writes, one in ten of another service, in no order of their keys.
std::string Entities(int count) {
  return absl::StrCat(
      "BEGIN; INSERT INTO name (id, text) VALUES (1, 'shop.Cart'), (2, 'shop.Account');"
      "WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < ",
      count,
      ") INSERT INTO entity SELECT i, CASE WHEN i % 10 = 0 THEN 'account' ELSE 'cart' END, "
      "printf('user-%07d-%x', (i * 7919) % 1000003, i), CASE WHEN i % 10 = 0 THEN 2 ELSE 1 END, 1, 20, "
      "1700000000000000000 + i, 1700000000000000000 + i FROM number; COMMIT;");
}

// The file of a journal that an emulator made.
absl::StatusOr<std::string> MakeJournal(const std::string& directory, int entities) {
  journal::SqliteJournal::Options options;
  options.directory = directory;
  auto journal = journal::SqliteJournal::Open(options);
  if (!journal.ok()) return journal.status();
  const std::string file = (*journal)->file();
  (*journal)->Close();
  journal->reset();
  auto connection = journal::Connection::Open(file, journal::Connection::Mode::kCreate);
  if (!connection.ok()) return connection.status();
  if (absl::Status status = connection->Execute(Entities(entities)); !status.ok()) return status;
  return file;
}

struct Measured {
  EntityPage page;
  double milliseconds = 0;  // the median of five
};

absl::StatusOr<Measured> Measure(journal::Browser& browser, const EntityFilter& filter, const std::string& token) {
  Measured measured;
  std::vector<double> times;
  for (int i = 0; i < 5; ++i) {
    const absl::Time begin = absl::Now();
    absl::StatusOr<EntityPage> page = browser.Entities(filter, token, kPageSize);
    if (!page.ok()) return page.status();
    times.push_back(absl::ToDoubleMilliseconds(absl::Now() - begin));
    measured.page = *std::move(page);
  }
  std::ranges::sort(times);
  measured.milliseconds = times[times.size() / 2];
  return measured;
}

struct Question {
  std::string what;
  EntityFilter filter;
  double goal = 0;
  double later_goal = goal;  // of a page that is not the first
};

// The first page, and one that begins where half of the first page's successors have been passed.
absl::Status MeasureQuestion(journal::Browser& browser, const Question& question, const std::string& middle) {
  for (const auto& [where, token] :
       {std::pair<std::string, std::string>{"first page", ""}, {"in the middle", middle}}) {
    absl::StatusOr<Measured> measured = Measure(browser, question.filter, token);
    if (!measured.ok()) return measured.status();
    const double goal = token.empty() ? question.goal : question.later_goal;
    PrintGoal(absl::StrFormat("%s, %s: %.1f ms, %d rows", question.what, where, measured->milliseconds,
                              measured->page.rows.size()),
              measured->milliseconds < goal, absl::StrFormat("under %.0f ms", goal));
  }
  return absl::OkStatus();
}

// The token of a page half way through all entities.
absl::StatusOr<std::string> MiddleOf(journal::Browser& browser, int entities) {
  std::string token;
  for (int passed = 0; passed < entities / 2; passed += 10'000) {
    absl::StatusOr<EntityPage> page = browser.Entities({}, token, std::min(10'000, entities / 2));
    if (!page.ok()) return page.status();
    token = page->next;
  }
  return token;
}

absl::Status Run(int entities) {
  const testing::TemporaryDirectory directory;
  const absl::StatusOr<std::string> file = MakeJournal((directory.path() / "data").string(), entities);
  if (!file.ok()) return file.status();
  auto browser = journal::SqliteBrowser::Open(*file);
  if (!browser.ok()) return browser.status();
  const absl::StatusOr<std::string> middle = MiddleOf(**browser, entities);
  if (!middle.ok()) return middle.status();
  std::cout << absl::StrFormat("pages of %d out of %d entities\n", kPageSize, entities);
  const std::vector<Question> questions = {
      {"all", {}, kPageGoal},
      {"of a persistence id", {.service = "", .persistence_id = "cart", .id_contains = ""}, kSearchGoal},
      {"of a service", {.service = "shop.Cart", .persistence_id = "", .id_contains = ""}, kSearchGoal, kPageGoal},
      {"of a rare service", {.service = "shop.Account", .persistence_id = "", .id_contains = ""}, kSearchGoal},
      {"of no service", {.service = "shop.None", .persistence_id = "", .id_contains = ""}, kSearchGoal},
      {"search for one in ten", {.service = "", .persistence_id = "", .id_contains = "7-"}, kSearchGoal},
      {"search for nothing", {.service = "", .persistence_id = "", .id_contains = "nobody"}, kSearchGoal},
      {"both", {.service = "shop.Account", .persistence_id = "account", .id_contains = "nobody"}, kSearchGoal},
  };
  for (const Question& question : questions) {
    if (absl::Status status = MeasureQuestion(**browser, question, *middle); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace cloudstate::bench

int main(int count, char** arguments) {
  return cloudstate::bench::RunBenchmark(count, arguments, [](cloudstate::bench::Extent extent) {
    return cloudstate::bench::Run(extent == cloudstate::bench::Extent::kQuick ? 1'000 : 1'000'000);
  });
}
