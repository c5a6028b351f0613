#include "emulator/tck/runner.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/tck/discover.h"
#include "emulator/tck/emulator_stage.h"
#include "emulator/tck/filter.h"

namespace cloudstate::tck {
namespace {

// So many cases of a section may wait in vain; whoever lets them all wait need not be waited for any longer.
constexpr int kMostTimeouts = 5;

std::string WholeId(const Section& section, const Case& each) { return absl::StrCat(section.name, "/", each.id); }

// Throws CaseFailure.
EntitySpec DiscoverWithin(absl::Duration timeout, Link& link, Waiting& waiting) {
  Conversation conversation{waiting, absl::Now() + timeout};
  Peer peer("user function", link, conversation);
  return Discover(peer);
}

userfunction::Dialect DialectOf(const EntitySpec& spec) {
  const bool new_one = spec.service_info().protocol_minor_version() >= 2;
  return new_one ? userfunction::Dialect::k0_2 : userfunction::Dialect::k0_1;
}

bool Declares(const EntitySpec& spec, const std::string& service) {
  return std::any_of(spec.entities().begin(), spec.entities().end(),
                     [&](const cloudstate::Entity& entity) { return entity.service_name() == service; });
}

class CaseRunner {
 public:
  CaseRunner(const RunOptions& options, Waiting& waiting, RunListener& listener, Link& link, EntitySpec spec,
             Report& report)
      : options_(options),
        waiting_(waiting),
        listener_(listener),
        link_(link),
        spec_(std::move(spec)),
        report_(report) {}

  void RunAll() {
    for (const Section& section : options_.sections) {
      timeouts_ = 0;
      listener_.OnSection(section.name, section.cases.size());
      for (const Case& each : section.cases) RunOrSkip(section, each);
    }
  }

 private:
  void RunOrSkip(const Section& section, const Case& each) {
    CaseResult result{.id = WholeId(section, each), .title = each.title, .section = section.name, .took = {}};
    if (const std::string missing = Missing(section, each); !missing.empty()) {
      result.outcome = Outcome::kSkipped;
      result.reason = missing;
    } else if (const std::string hindrance = Hindrance(section); !hindrance.empty()) {
      result.outcome = Outcome::kNotRun;
      result.reason = hindrance;
    } else {
      RunOne(section, each, result);
    }
    report_.results.push_back(result);
    listener_.OnResult(report_.results.back());
    if (result.outcome == Outcome::kFailed) AfterFailure(result);
  }

  // What the user function does not have that the case is about; empty if there is nothing.
  std::string Missing(const Section& section, const Case& each) const {
    std::vector<std::string> needs = section.needs;
    if (!each.needs.empty()) needs.push_back(each.needs);
    for (const std::string& service : needs) {
      if (!Declares(spec_, service)) return absl::StrCat("the user function does not declare ", service);
    }
    const bool too_old = each.since == Since::k0_2 && DialectOf(spec_) == userfunction::Dialect::k0_1;
    return too_old ? "protocol 0.1 has nothing of the kind, or other messages for it" : "";
  }

  // Why no case of the section can be run now; empty if one can.
  std::string Hindrance(const Section& section) {
    if (!stopped_.empty()) return stopped_;
    if (timeouts_ == kMostTimeouts) {
      return absl::StrCat(kMostTimeouts, " cases of ", section.name, " have waited in vain");
    }
    if (section.part == Part::kDirect) return "";
    if (stage_problem_.empty() && (stage_ == nullptr || stage_part_ != section.part)) StartStage(section.part);
    return stage_problem_;
  }

  void StartStage(Part part) {
    const std::size_t nodes = part == Part::kTwoNodes ? 2 : 1;
    stage_ = nullptr;
    stage_part_ = part;
    auto stage = EmulatorStage::Start(options_.user_function, nodes, waiting_, absl::Now() + options_.start_up);
    if (stage.ok()) {
      stage_ = *std::move(stage);
    } else {
      stage_problem_ = absl::StrCat("the emulator does not serve this user function: ", stage.status().message());
    }
  }

  void RunOne(const Section& section, const Case& each, CaseResult& result) {
    const absl::Time start = absl::Now();
    Conversation conversation{waiting_, start + options_.timeout};
    const Driver::Surroundings surroundings{link_, DialectOf(spec_), spec_,
                                            section.part == Part::kDirect ? nullptr : &stage_->stage()};
    try {
      Driver driver(surroundings, conversation);
      each.run(driver);
      driver.Finish();
    } catch (CaseFailure& failure) {
      result.outcome = Outcome::kFailed;
      result.failure = std::move(failure);
      result.steps = std::move(conversation.steps);
      result.hint = each.hint;
    }
    result.took = absl::Now() - start;
  }

  // A user function that is gone, or hangs, would let every other case wait in vain.
  void AfterFailure(const CaseResult& result) {
    if (options_.fail_fast) {
      stopped_ = absl::StrCat("ended at the first failure, ", result.id);
      return;
    }
    if (!result.failure.timed_out) return;
    ++timeouts_;
    try {
      DiscoverWithin(options_.timeout, link_, waiting_);
    } catch (const CaseFailure& failure) {
      stopped_ = absl::StrCat("the user function is gone, or hangs, since ", result.id, ": ", failure.problem);
    }
  }

  const RunOptions& options_;
  Waiting& waiting_;
  RunListener& listener_;
  Link& link_;
  const EntitySpec spec_;
  Report& report_;
  std::unique_ptr<EmulatorStage> stage_;
  Part stage_part_ = Part::kEmulator;  // of the stage
  std::string stage_problem_;
  int timeouts_ = 0;     // in this section
  std::string stopped_;  // why no further case is run
};

}  // namespace

std::vector<Section> Chosen(const std::vector<Section>& sections, const std::vector<std::string>& filters) {
  const Filter filter(filters);
  std::vector<Section> chosen;
  for (Section section : sections) {
    std::erase_if(section.cases, [&](const Case& each) { return !filter.Takes(WholeId(section, each)); });
    if (!section.cases.empty()) chosen.push_back(std::move(section));
  }
  return chosen;
}

absl::StatusOr<Report> Run(const RunOptions& options, Waiting& waiting, RunListener& listener) {
  const absl::Time start = absl::Now();
  Report report;
  report.user_function = options.user_function;
  try {
    Link link(options.user_function, waiting);
    if (link.Connected(start + options.start_up) == nullptr) {
      return absl::UnavailableError(absl::StrCat("Nobody accepts connections at ", options.user_function, ", after ",
                                                 absl::FormatDuration(options.start_up),
                                                 ". Is the user function running, and on that port?"));
    }
    EntitySpec spec;
    try {
      spec = DiscoverWithin(start + options.start_up - absl::Now(), link, waiting);
    } catch (const CaseFailure& failure) {
      return absl::UnavailableError(
          absl::StrCat("The user function at ", options.user_function, " can't be checked. ", failure.problem));
    }
    report.service_name = spec.service_info().service_name();
    report.library =
        absl::StrCat(spec.service_info().support_library_name(), " ", spec.service_info().support_library_version());
    report.dialect = DialectOf(spec) == userfunction::Dialect::k0_2 ? "0.2" : "0.1";
    std::size_t cases = 0;
    for (const Section& section : options.sections) cases += section.cases.size();
    listener.OnStart(report, cases);
    CaseRunner(options, waiting, listener, link, std::move(spec), report).RunAll();
  } catch (const Interrupted&) {
    report.interrupted = true;
  }
  report.took = absl::Now() - start;
  return report;
}

}  // namespace cloudstate::tck
