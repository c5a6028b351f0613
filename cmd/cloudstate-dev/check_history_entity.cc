#include "cmd/cloudstate-dev/check_history_entity.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/check_history_replays.h"
#include "cmd/cloudstate-dev/payload_text.h"
#include "emulator/base/line_diff.h"

namespace cloudstate::cli {
namespace {

using dev::v1::ReplayOutcome;
using dev::v1::ReplayResponse;

constexpr int kMostCommands = 100;  // of one replay
constexpr int kEventsOfPage = 1'000;
// Nobody's command: how seeded events are marked.
constexpr char kSeeder[] = "cloudstate.dev.v1.Testing";

// A command and the events that it has stored.
struct StoredCommand {
  std::int64_t first = 0;
  std::int64_t last = 0;
  dev::v1::Cause cause;
  std::vector<dev::v1::Payload> events;

  bool IsSeeded() const { return cause.service() == kSeeder; }
  std::string Text() const {
    return absl::StrCat(ShortMethod(cause.service(), cause.method()), " ", cause.command().json());
  }
};

bool IsOf(const dev::v1::Event& event, const dev::v1::Event& before) {
  return event.cause().trace_id() == before.cause().trace_id() && event.cause().service() == before.cause().service() &&
         event.cause().method() == before.cause().method() &&
         event.cause().command().value() == before.cause().command().value() &&
         event.time().seconds() == before.time().seconds() && event.time().nanos() == before.time().nanos();
}

std::vector<dev::v1::Payload> EventsOf(const ReplayOutcome& outcome) {
  return {outcome.events().begin(), outcome.events().end()};
}

class EntityChecker {
 public:
  EntityChecker(Client& client, const HistoryCheck& check, absl::Mutex& replays, CallEnd& end, EntityHistory& history)
      : client_(client),
        check_(check),
        history_(history),
        replays_(client, history.entity, check.deadline, replays, end),
        last_(history.entity.last_sequence()) {}

  absl::Status Run() {
    absl::StatusOr<std::int64_t> sound = CheckLoading();
    if (!sound.ok()) return sound.status();
    if (absl::Status status = CheckCommands(*sound); !status.ok()) return status;
    return *sound == last_ ? CheckSnapshot() : absl::OkStatus();
  }

 private:
  // Up to which event the user function takes them.
  absl::StatusOr<std::int64_t> CheckLoading() {
    if (absl::Status status = FindProbe(); !status.ok()) return status;
    absl::StatusOr<std::optional<std::string>> problem = LoadProblem(last_, ReplayFrom::kSnapshot);
    if (!problem.ok()) return problem.status();
    const std::int64_t snapshot = history_.entity.snapshot_sequence();
    if (problem->has_value()) return FindWhatIsNotTaken(snapshot, **problem);
    if (snapshot == 0) return last_;
    problem = LoadProblem(last_, ReplayFrom::kStart);
    if (!problem.ok()) return problem.status();
    if (problem->has_value()) {
      absl::StatusOr<std::int64_t> taken =
          FindBadEvent(FindingKind::kDoesNotLoadFromStart, 0, ReplayFrom::kStart, **problem);
      if (!taken.ok()) return taken;
    }
    return last_;
  }

  // The newest snapshot, or one of the events behind it.
  absl::StatusOr<std::int64_t> FindWhatIsNotTaken(std::int64_t snapshot, const std::string& of_all) {
    if (snapshot > 0 && snapshot < last_) {
      absl::StatusOr<std::optional<std::string>> problem = LoadProblem(snapshot, ReplayFrom::kSnapshot);
      if (!problem.ok()) return problem.status();
      if (!problem->has_value())
        return FindBadEvent(FindingKind::kDoesNotLoad, snapshot, ReplayFrom::kSnapshot, of_all);
    }
    if (snapshot == 0) return FindBadEvent(FindingKind::kDoesNotLoad, 0, ReplayFrom::kSnapshot, of_all);
    Add({.kind = FindingKind::kDoesNotLoad,
         .sequence = snapshot,
         .problem = absl::StrCat("the snapshot there: ", of_all),
         .difference = {}});
    return 0;
  }

  // A command behind the events makes sure that they are taken: some libraries leave a stream without one open.
  absl::Status FindProbe() {
    absl::StatusOr<std::vector<dev::v1::Event>> events =
        Events(std::max<std::int64_t>(1, last_ - kEventsOfPage + 1), kEventsOfPage);
    if (!events.ok()) return events.status();
    const auto stored = std::ranges::find_if(events->rbegin(), events->rend(), [](const dev::v1::Event& event) {
      return event.cause().service() != kSeeder;
    });
    if (stored != events->rend()) probe_ = CommandOf(stored->cause());
    return absl::OkStatus();
  }

  // Why events up to there are not taken, if they are not.
  absl::StatusOr<std::optional<std::string>> LoadProblem(std::int64_t sequence, ReplayFrom from) {
    if (probe_.has_value()) {
      const absl::StatusOr<ReplayResponse> response = replays_.Replay(sequence, {*probe_}, from);
      if (response.ok()) return std::nullopt;
      // The rest may be the command's fault.
      if (!absl::IsAborted(response.status()) && !absl::IsInvalidArgument(response.status()) &&
          !absl::IsDeadlineExceeded(response.status())) {
        return response.status();
      }
    }
    const absl::StatusOr<ReplayResponse> response = replays_.Replay(sequence, {}, from);
    // That the stream is left open is no problem.
    if (response.ok() || (absl::IsDeadlineExceeded(response.status()))) return std::nullopt;
    if (absl::IsAborted(response.status()) || absl::IsInvalidArgument(response.status())) {
      return std::string(response.status().message());
    }
    return response.status();
  }

  // By halves, behind what is taken: all that is taken with an event is taken without it. Returns the event before it.
  absl::StatusOr<std::int64_t> FindBadEvent(FindingKind kind, std::int64_t taken, ReplayFrom from,
                                            std::string problem) {
    std::int64_t bad = last_;
    while (bad - taken > 1) {
      const std::int64_t middle = taken + (bad - taken) / 2;
      absl::StatusOr<std::optional<std::string>> found = LoadProblem(middle, from);
      if (!found.ok()) return found.status();
      if (!found->has_value()) {
        taken = middle;
      } else {
        bad = middle;
        problem = **found;
      }
    }
    absl::StatusOr<std::vector<dev::v1::Event>> events = Events(bad, 1);
    if (!events.ok()) return events.status();
    const std::string event = events->empty() ? ""
                                              : absl::StrCat(ShortType(events->front().payload().type_url()), " ",
                                                             events->front().payload().json(), ": ");
    Add({.kind = kind, .sequence = bad, .problem = event + problem, .difference = {}});
    return taken;
  }

  // Runs the commands behind the events up to `until` again.
  absl::Status CheckCommands(std::int64_t until) {
    absl::StatusOr<std::int64_t> begin = FirstCommand(until);
    if (!begin.ok()) return begin.status();
    // With the event behind them, to know whether it is of the last of these commands.
    const std::int64_t end = std::min(until + 1, last_);
    std::deque<StoredCommand> commands;
    for (std::int64_t next = *begin; next <= end;) {
      absl::StatusOr<std::vector<dev::v1::Event>> events = Events(next, kEventsOfPage);
      if (!events.ok()) return events.status();
      if (events->empty()) break;
      for (const dev::v1::Event& event : *events) {
        if (event.sequence() <= end) AddTo(commands, event);
      }
      next = events->back().sequence() + 1;
      // The last one may have stored more than this page holds, or what is not taken.
      const std::size_t keep = next > end && until == last_ ? 0 : 1;
      while (commands.size() > keep) {
        if (absl::Status status = RunSome(commands, commands.size() - keep); !status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  // Where the newest commands begin that are to be looked at.
  absl::StatusOr<std::int64_t> FirstCommand(std::int64_t until) {
    if (check_.commands == 0) return 1;
    std::int64_t found = 0;
    std::optional<dev::v1::Event> after;
    for (std::int64_t end = until; end > 0;) {
      const std::int64_t from = std::max<std::int64_t>(1, end - kEventsOfPage + 1);
      absl::StatusOr<std::vector<dev::v1::Event>> events = Events(from, static_cast<int>(end - from + 1));
      if (!events.ok()) return events.status();
      for (auto event = events->rbegin(); event != events->rend(); ++event) {
        if (!after.has_value() || !IsOf(*event, *after)) ++found;
        if (found > check_.commands) return event->sequence() + 1;
        after = *event;
      }
      end = from - 1;
    }
    return 1;
  }

  void AddTo(std::deque<StoredCommand>& commands, const dev::v1::Event& event) {
    if (commands.empty() || !newest_.has_value() || !IsOf(event, *newest_)) {
      commands.push_back({.first = event.sequence(), .last = 0, .cause = event.cause(), .events = {}});
    }
    commands.back().last = event.sequence();
    commands.back().events.push_back(event.payload());
    newest_ = event;
  }

  // Takes those from the front that have been looked at, at least one; the first `ready` are whole.
  absl::Status RunSome(std::deque<StoredCommand>& commands, std::size_t ready) {
    if (commands.front().IsSeeded()) {
      commands.pop_front();
      return absl::OkStatus();
    }
    std::vector<dev::v1::ReplayCommand> run;
    for (std::size_t i = 0; i < std::min(ready, at_once_) && !commands[i].IsSeeded(); ++i) {
      run.push_back(CommandOf(commands[i].cause));
    }
    const absl::StatusOr<ReplayResponse> response =
        replays_.Replay(commands.front().first - 1, run, ReplayFrom::kSnapshot);
    // One of them can't be read: which one shows when each is run alone, until it has shown.
    const bool unread = absl::IsInvalidArgument(response.status());
    if (unread) at_once_ = run.size() > 1 ? 1 : kMostCommands;
    if (unread && run.size() > 1) return absl::OkStatus();
    if (!response.ok() || response->outcomes().empty()) return NoOutcome(commands, response.status());
    bool same = true;
    for (int i = 0; i < response->outcomes_size() && same; ++i) {
      absl::StatusOr<bool> compared = CompareOutcome(commands.front(), response->outcomes(i));
      if (!compared.ok()) return compared.status();
      same = *compared;
      commands.pop_front();
    }
    return absl::OkStatus();
  }

  absl::Status NoOutcome(std::deque<StoredCommand>& commands, const absl::Status& status) {
    const bool gone = absl::IsInvalidArgument(status);
    if (absl::IsAborted(status)) {
      // An older snapshot may let events through that this one does not: then it is not the command's fault.
      absl::StatusOr<std::optional<std::string>> problem =
          LoadProblem(commands.front().first - 1, ReplayFrom::kSnapshot);
      if (!problem.ok()) return problem.status();
      if (problem->has_value()) {
        commands.pop_front();
        return absl::OkStatus();
      }
    }
    if (!status.ok() && !gone && !absl::IsAborted(status) && !absl::IsDeadlineExceeded(status)) return status;
    AddAbout(gone ? FindingKind::kCommandIsGone : FindingKind::kFails, commands.front(),
             status.ok() ? "it gets no answer" : std::string(status.message()));
    commands.pop_front();
    return absl::OkStatus();
  }

  absl::StatusOr<bool> CompareOutcome(const StoredCommand& command, const ReplayOutcome& outcome) {
    ++history_.commands;
    if (outcome.code() != 0) {
      AddAbout(FindingKind::kFails, command, absl::StrCat(CodeName(outcome.code()), ": ", outcome.message()));
      return false;
    }
    const std::vector<dev::v1::Payload> events = EventsOf(outcome);
    if (SameMessages(command.events, events, check_.ignored)) return true;
    Finding& finding = AddAbout(FindingKind::kStoresOtherEvents, command, "");
    finding.difference =
        base::DiffLines(MessageLines(command.events, check_.ignored), MessageLines(events, check_.ignored));
    const absl::StatusOr<ReplayResponse> again =
        replays_.Replay(command.first - 1, {CommandOf(command.cause)}, ReplayFrom::kSnapshot);
    if (again.ok() && again->outcomes_size() == 1)
      finding.varying = DifferentFields(events, EventsOf(again->outcomes(0)));
    return false;
  }

  absl::Status CheckSnapshot() {
    const bool is_read = check_.read_services.contains(history_.entity.service());
    if (!is_read || history_.entity.snapshot_sequence() == 0) return absl::OkStatus();
    dev::v1::ReplayCommand read;
    read.set_method(check_.read);
    std::vector<std::string> replies[2];
    for (const ReplayFrom from : {ReplayFrom::kStart, ReplayFrom::kSnapshot}) {
      const absl::StatusOr<ReplayResponse> response = replays_.Replay(last_, {read}, from);
      if (!response.ok()) return response.status();
      for (const ReplayOutcome& outcome : response->outcomes()) {
        replies[from == ReplayFrom::kSnapshot] =
            outcome.code() == 0 ? MessageLines({outcome.reply()}, check_.ignored)
                                : std::vector{absl::StrCat(CodeName(outcome.code()), ": ", outcome.message())};
      }
    }
    if (replies[0] == replies[1]) return absl::OkStatus();
    Add({.kind = FindingKind::kSnapshotDiffers,
         .sequence = history_.entity.snapshot_sequence(),
         .problem = absl::StrCat(check_.read, " answers otherwise from the snapshot (+) than from all events (-)"),
         .difference = base::DiffLines(replies[0], replies[1])});
    return absl::OkStatus();
  }

  static dev::v1::ReplayCommand CommandOf(const dev::v1::Cause& cause) {
    dev::v1::ReplayCommand command;
    command.set_service(cause.service());
    command.set_method(cause.method());
    command.set_json(cause.command().json());
    return command;
  }

  absl::StatusOr<std::vector<dev::v1::Event>> Events(std::int64_t from, int limit) {
    dev::v1::ListEventsRequest request;
    request.set_persistence_id(history_.entity.persistence_id());
    request.set_entity_id(history_.entity.entity_id());
    request.set_from_sequence(from);
    std::vector<dev::v1::Event> events;
    // A list of large events ends early.
    do {
      request.set_limit(limit - static_cast<int>(events.size()));
      absl::StatusOr<dev::v1::ListEventsResponse> listed = client_.Call(&Client::Stub::ListEvents, request);
      if (!listed.ok()) return listed.status();
      for (dev::v1::Event& event : *listed->mutable_events()) events.push_back(std::move(event));
      request.set_from_sequence(listed->next_sequence());
    } while (request.from_sequence() != 0 && events.size() < static_cast<std::size_t>(limit));
    return events;
  }

  Finding& Add(Finding finding) {
    history_.findings.push_back(std::move(finding));
    return history_.findings.back();
  }
  Finding& AddAbout(FindingKind kind, const StoredCommand& command, std::string problem) {
    return Add({.kind = kind,
                .sequence = command.first,
                .command = command.Text(),
                .problem = std::move(problem),
                .difference = {}});
  }

  Client& client_;
  const HistoryCheck& check_;
  EntityHistory& history_;
  HistoryReplays replays_;
  const std::int64_t last_;
  std::optional<dev::v1::ReplayCommand> probe_;
  std::optional<dev::v1::Event> newest_;  // that was added to a command
  std::size_t at_once_ = kMostCommands;
};

}  // namespace

EntityHistory CheckEntity(Client& client, const dev::v1::Entity& entity, const HistoryCheck& check,
                          absl::Mutex& replays, CallEnd& end) {
  const absl::Time begin = absl::Now();
  EntityHistory history{.entity = entity, .commands = 0, .findings = {}, .failure = {}, .took = {}};
  history.failure = EntityChecker(client, check, replays, end, history).Run();
  history.took = absl::Now() - begin;
  return history;
}

}  // namespace cloudstate::cli
