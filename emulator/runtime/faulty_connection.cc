#include "emulator/runtime/faulty_connection.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/base/proto_time.h"
#include "emulator/runtime/stream_place.h"

namespace cloudstate::runtime {
namespace {

// What is late, before the user function is held up.
constexpr std::size_t kMostLate = 64;

}  // namespace

// What a stream of the real connection and its owner have in common; held by the owner's stream, and by callbacks while
// they run, since these may destroy that.
class FaultyConnection::Conversation final : public FaultBook::Holder,
                                             public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(base::Strand& strand, FaultBook& faults, StreamPlace place, userfunction::StreamHandler handler)
      : strand_(strand), faults_(faults), place_(std::move(place)), handler_(std::move(handler)) {}

  void Open(userfunction::Connection& connection, std::string_view method, absl::Duration timeout);
  void Write(std::string message);
  void HalfClose();
  void OwnerPaused(bool paused);
  // No callback after that.
  void Cancel();
  const userfunction::Stream* stream() const { return stream_.get(); }

  void LetGo(std::int64_t fault) override;

 private:
  struct Late {
    absl::Time due;
    std::int64_t fault = 0;                        // that made it late; 0 for what comes behind others only
    std::variant<std::string, absl::Status> what;  // a message, or the end
  };

  // What a fault makes of a stream. Most streams never have it.
  struct Struck {
    std::optional<dev::v1::Fault> loss;      // comes in place of the next answer
    std::optional<dev::v1::Fault> slowness;  // of what answers the last command
    std::vector<std::int64_t> silenced;      // commands
    std::deque<Late> late;
    base::TimerId timer = base::TimerId::kNone;  // for the first of these
    bool registered = false;                     // with the book, for what is late
  };

  void Strike(const StreamPlace::Command& command);
  Struck& OnceStruck();
  void OnMessage(std::string message);
  void OnClosed(absl::Status status);
  void Lose();
  // The real stream has come to its end.
  void EndClosing();
  bool IsSilenced(std::string_view message) const;
  void Pass(std::variant<std::string, absl::Status> what);
  void Tell(std::variant<std::string, absl::Status> what);
  void Wait();
  void TellLate();

  base::Strand& strand_;
  FaultBook& faults_;
  StreamPlace place_;
  userfunction::StreamHandler handler_;
  std::unique_ptr<userfunction::Stream> stream_;  // of the real connection; none once cancelled or lost
  bool owner_paused_ = false;
  bool closing_ = false;  // an entity's, half-closed, and not ended by the user function yet

  std::unique_ptr<Struck> struck_;  // once a fault has
};

void FaultyConnection::Conversation::Open(userfunction::Connection& connection, std::string_view method,
                                          absl::Duration timeout) {
  // Those of the real connection may outlive the stream, although they are not called then.
  const std::weak_ptr<Conversation> weak = weak_from_this();
  userfunction::StreamHandler real;
  real.on_message = [weak](std::string message) {
    if (const auto self = weak.lock()) self->OnMessage(std::move(message));
  };
  real.on_closed = [weak](absl::Status status) {
    if (const auto self = weak.lock()) self->OnClosed(std::move(status));
  };
  if (handler_.on_writable) {
    real.on_writable = [weak] {
      if (const auto self = weak.lock()) self->handler_.on_writable();
    };
  }
  stream_ = connection.Open(method, timeout, std::move(real));
}

void FaultyConnection::Conversation::Write(std::string message) {
  if (stream_ == nullptr) return;
  // Once struck, the next command tells that what follows answers another one.
  if (place_.wants_first() || struck_ != nullptr || !faults_.empty()) {
    if (const auto command = place_.Look(message)) Strike(*command);
  }
  stream_->Write(std::move(message));
}

void FaultyConnection::Conversation::Strike(const StreamPlace::Command& command) {
  const FaultBook::Place place{
      .service = place_.service(), .persistence_id = {}, .method = command.method, .entity_id = place_.entity_id()};
  if (struck_ != nullptr) struck_->slowness = std::nullopt;
  if (faults_.Strike(dev::v1::Fault::NO_ANSWER, place).has_value()) {
    OnceStruck().silenced.push_back(command.id);
  } else if (auto loss = faults_.Strike(dev::v1::Fault::LOST_STREAM, place)) {
    OnceStruck().loss = std::move(loss);
  } else if (auto slowness = faults_.Strike(dev::v1::Fault::SLOW, place)) {
    Struck& struck = OnceStruck();
    struck.slowness = std::move(slowness);
    if (!std::exchange(struck.registered, true)) faults_.Register(weak_from_this());
  }
}

FaultyConnection::Conversation::Struck& FaultyConnection::Conversation::OnceStruck() {
  if (struck_ == nullptr) struck_ = std::make_unique<Struck>();
  return *struck_;
}

void FaultyConnection::Conversation::OnMessage(std::string message) {
  if (struck_ == nullptr) return handler_.on_message(std::move(message));
  if (struck_->loss.has_value()) return Lose();
  if (!IsSilenced(message)) Pass(std::move(message));
}

void FaultyConnection::Conversation::OnClosed(absl::Status status) {
  EndClosing();
  if (struck_ == nullptr) return handler_.on_closed(std::move(status));
  if (struck_->loss.has_value()) return Lose();
  // An action's answer may be no more than its end. Other ends are no answers.
  const bool is_answer = place_.is_action() && !absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status);
  if (!is_answer || struck_->silenced.empty()) Pass(std::move(status));
}

bool FaultyConnection::Conversation::IsSilenced(std::string_view message) const {
  return std::ranges::any_of(struck_->silenced, [&](std::int64_t command) { return place_.Answers(message, command); });
}

void FaultyConnection::Conversation::Lose() {
  absl::Status lost = absl::UnavailableError(absl::StrCat("the stream was lost: ", DescribeFault(*struck_->loss)));
  struck_->loss = std::nullopt;
  struck_->slowness = std::nullopt;
  EndClosing();
  stream_ = nullptr;
  Pass(std::move(lost));
}

// At once, or as late as it should be, but never before what is late already.
void FaultyConnection::Conversation::Pass(std::variant<std::string, absl::Status> what) {
  Struck& struck = *struck_;
  if (!struck.slowness.has_value() && struck.late.empty()) return Tell(std::move(what));
  Late late{.due = strand_.Now(), .fault = 0, .what = std::move(what)};
  if (struck.slowness.has_value()) {
    late.due += base::FromDuration(struck.slowness->delay());
    late.fault = struck.slowness->id();
  }
  struck.late.push_back(std::move(late));
  if (struck.late.size() == 1) Wait();
  if (struck.late.size() == kMostLate && stream_ != nullptr) stream_->Pause();
}

void FaultyConnection::Conversation::Wait() {
  const absl::Duration delay = std::max(struck_->late.front().due - strand_.Now(), absl::ZeroDuration());
  struck_->timer = strand_.After(delay, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->TellLate();
  });
}

void FaultyConnection::Conversation::TellLate() {
  Struck& struck = *struck_;
  struck.timer = base::TimerId::kNone;
  if (owner_paused_ || struck.late.empty()) return;
  Late next = std::move(struck.late.front());
  struck.late.pop_front();
  if (!struck.late.empty()) Wait();
  if (struck.late.size() == kMostLate - 1 && stream_ != nullptr) stream_->Resume();
  Tell(std::move(next.what));
}

void FaultyConnection::Conversation::Tell(std::variant<std::string, absl::Status> what) {
  if (auto* message = std::get_if<std::string>(&what)) {
    handler_.on_message(std::move(*message));
  } else {
    handler_.on_closed(std::get<absl::Status>(std::move(what)));
  }
}

void FaultyConnection::Conversation::LetGo(std::int64_t fault) {
  Struck& struck = *struck_;  // else the book would not know of it
  const auto is_gone = [fault](std::int64_t other) { return fault == 0 || fault == other; };
  if (struck.slowness.has_value() && is_gone(struck.slowness->id())) struck.slowness = std::nullopt;
  for (Late& late : struck.late) {
    if (is_gone(late.fault)) late.due = absl::InfinitePast();
  }
  if (struck.timer == base::TimerId::kNone) return;
  strand_.Cancel(struck.timer);
  Wait();
}

void FaultyConnection::Conversation::OwnerPaused(bool paused) {
  owner_paused_ = paused;
  const std::size_t late = struck_ == nullptr ? 0 : struck_->late.size();
  if (!paused && late > 0 && struck_->timer == base::TimerId::kNone) Wait();
  if (stream_ == nullptr) return;
  if (paused) {
    stream_->Pause();
  } else if (late < kMostLate) {
    stream_->Resume();
  }
}

void FaultyConnection::Conversation::HalfClose() {
  if (stream_ == nullptr) return;
  if (!place_.is_action() && !std::exchange(closing_, true)) faults_.BeginClosing();
  stream_->HalfClose();
}

void FaultyConnection::Conversation::EndClosing() {
  if (std::exchange(closing_, false)) faults_.EndClosing();
}

void FaultyConnection::Conversation::Cancel() {
  EndClosing();
  const std::unique_ptr<userfunction::Stream> cancelled = std::move(stream_);
  if (struck_ == nullptr) return;
  strand_.Cancel(std::exchange(struck_->timer, base::TimerId::kNone));
  struck_->late.clear();
}

// The owner's end.
class FaultyConnection::OwnersStream final : public userfunction::Stream {
 public:
  explicit OwnersStream(std::shared_ptr<Conversation> conversation) : conversation_(std::move(conversation)) {}
  ~OwnersStream() override { conversation_->Cancel(); }

  void Write(std::string message) override { conversation_->Write(std::move(message)); }
  void HalfClose() override { conversation_->HalfClose(); }
  std::size_t Unsent() const override {
    return conversation_->stream() == nullptr ? 0 : conversation_->stream()->Unsent();
  }
  void Pause() override { conversation_->OwnerPaused(true); }
  void Resume() override { conversation_->OwnerPaused(false); }

 private:
  const std::shared_ptr<Conversation> conversation_;
};

std::unique_ptr<userfunction::Stream> FaultyConnection::Open(std::string_view method, absl::Duration timeout,
                                                             userfunction::StreamHandler handler) {
  auto conversation =
      std::make_shared<Conversation>(strand_, faults_, StreamPlace(method, dialect_), std::move(handler));
  conversation->Open(*connection_, method, timeout);
  return std::make_unique<OwnersStream>(std::move(conversation));
}

}  // namespace cloudstate::runtime
