#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "emulator/base/lifetime.h"
#include "emulator/base/random.h"
#include "emulator/base/strand.h"
#include "emulator/userfunction/connection.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::userfunction {

// Learns what the user function behind a connection declares, and again each time the connection comes back. Pure but
// for the strand it lives on.
//
//   WAITING ──Connected──► asks; a failed call is asked again with back-off, for ever
//   asks ──good answer──► READY        asks ──answer that cannot be served──► REJECTED, until the connection is lost
//   any ──Disconnected──► WAITING
class Discovery {
 public:
  enum class State { kWaiting, kRejected, kReady };

  struct Options {
    std::string proxy_version;
    std::optional<Dialect> dialect = {};  // forced; otherwise told from the answer
    VersionCheck version_check = VersionCheck::kOn;
    // Published: 1 s doubling to 10 s, each ±20 %.
    absl::Duration first_backoff = absl::Seconds(1);
    absl::Duration last_backoff = absl::Seconds(10);
    // A library that is slow to answer is given this long; when `slow` has passed the log says so.
    absl::Duration timeout = absl::Seconds(30);
    absl::Duration slow = absl::Seconds(5);
  };

  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnReady(std::shared_ptr<Connection> connection,
                         std::shared_ptr<const Specification> specification) = 0;
    // Only from kReady.
    virtual void OnLost(const absl::Status& reason) = 0;
    virtual void OnRejected(const std::string& problem) = 0;
    // Something a person should know while it goes on being tried.
    virtual void OnTrouble(const std::string& trouble) = 0;
  };

  Discovery(Options options, base::Strand& strand, base::Random& random, Listener& listener);
  ~Discovery();

  void Connected(std::shared_ptr<Connection> connection);
  void Disconnected(const absl::Status& reason);
  // Nobody who could be asked is there, and this is why.
  void Unreachable(std::string problem);

  // Tells the user function what is wrong; logged where that fails, because some libraries always fail it.
  void ReportError(const std::string& message);

  State state() const { return state_; }
  // Time of day of the last change of state.
  absl::Time since() const { return since_; }
  const std::string& problem() const { return problem_; }
  const std::shared_ptr<const Specification>& specification() const { return specification_; }

 private:
  void Ask();
  void Answered(const absl::StatusOr<std::string>& answer);
  void AskLater();
  void Accept(const EntitySpec& spec);
  void Enter(State state, std::string problem);

  const Options options_;
  base::Strand& strand_;
  base::Random& random_;
  Listener& listener_;
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<const Specification> specification_;
  State state_ = State::kWaiting;
  absl::Time since_;
  std::string problem_;
  absl::Duration backoff_;
  base::TimerId timer_ = base::TimerId::kNone;
  base::Lifetime connected_;  // of the present connection: answers that come over an older one are dropped
};

}  // namespace cloudstate::userfunction
