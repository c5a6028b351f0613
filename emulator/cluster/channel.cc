#include "emulator/cluster/channel.h"

#include <algorithm>
#include <utility>

#include "emulator/base/planted_bug.h"

namespace cloudstate::cluster {

Channel::Channel(const Options& options, base::Strand& strand, Transmit transmit, Receive receive)
    : options_(options),
      strand_(strand),
      transmit_(std::move(transmit)),
      receive_(std::make_shared<const Receive>(std::move(receive))),
      repeat_in_(options.repeat_after) {}

Channel::~Channel() {
  strand_.Cancel(repeat_.timer);
  strand_.Cancel(acknowledge_.timer);
}

// ---- what goes out

void Channel::Send(wire::Segment content) {
  waiting_.push_back(std::move(content));
  SendWaiting();
}

void Channel::SendWaiting() {
  while (!waiting_.empty() && unacknowledged_.size() < options_.window) {
    unacknowledged_.push_back({.segment = std::move(waiting_.front()), .at = strand_.Now()});
    waiting_.pop_front();
    wire::Segment& segment = unacknowledged_.back().segment;
    segment.set_sequence(++last_sent_);
    TransmitNumbered(segment);
  }
  if (!unacknowledged_.empty()) {
    Wake(repeat_, unacknowledged_.front().at + repeat_in_, &Channel::RepeatWhenDue);
  }
}

void Channel::TransmitNumbered(wire::Segment& segment) {
  segment.set_acknowledged(received_);
  unanswered_ = 0;
  transmit_(segment);
}

void Channel::OnAcknowledged(std::uint64_t sequence) {
  if (unacknowledged_.empty() || unacknowledged_.front().segment.sequence() > sequence) return;
  while (!unacknowledged_.empty() && unacknowledged_.front().segment.sequence() <= sequence) {
    if (unacknowledged_.front().timed) OnRoundTrip(strand_.Now() - unacknowledged_.front().at);
    unacknowledged_.pop_front();
  }
  SendWaiting();
}

void Channel::OnRoundTrip(absl::Duration time) {
  round_trip_ = round_trip_ == absl::ZeroDuration() ? time : (round_trip_ * 7 + time) / 8;
  repeat_in_ = std::min(std::max(options_.repeat_after, round_trip_ * 2), options_.repeat_at_most);
}

void Channel::RepeatWhenDue() {
  if (unacknowledged_.empty()) return;
  const absl::Time now = strand_.Now();
  if (unacknowledged_.front().at + repeat_in_ <= now) {
    for (Sent& sent : unacknowledged_) {
      sent.timed = false;
      if (sent.at + repeat_in_ > now) continue;
      sent.at = now;
      TransmitNumbered(sent.segment);
    }
    repeat_in_ = std::min(repeat_in_ * 2, options_.repeat_at_most);
  }
  Wake(repeat_, unacknowledged_.front().at + repeat_in_, &Channel::RepeatWhenDue);
}

// ---- what comes in

void Channel::OnSegment(wire::Segment segment) {
  OnAcknowledged(segment.acknowledged());
  const std::uint64_t sequence = segment.sequence();
  // Beyond the window is what the peer cannot have sent, as long as both have the same options.
  if (sequence == 0 || sequence > received_ + options_.window) return;
  // Those that have been here before are answered again, since the answer may have been lost.
  if (unanswered_++ == 0) acknowledge_at_ = strand_.Now() + options_.acknowledge_after;
  // A peer whose window is full would wait for the answer.
  if (unanswered_ * 2 >= options_.window) acknowledge_at_ = strand_.Now();
  Wake(acknowledge_, acknowledge_at_, &Channel::AcknowledgeWhenDue);
  if (sequence <= received_ && IsPlanted(base::PlantedBug::kDuplicateDelivered)) {
    (*receive_)(std::move(segment));
    return;
  }
  if (sequence <= received_) return;
  if (sequence > received_ + 1) {
    early_.try_emplace(sequence, std::move(segment));
    return;
  }
  absl::InlinedVector<wire::Segment, 1> ready = TakeReady(std::move(segment));
  // Any of them may end the channel, and with it the callback.
  auto receive = lifetime_.Guard([receive = receive_](wire::Segment& each) { (*receive)(std::move(each)); });
  for (wire::Segment& each : ready) receive(each);
}

absl::InlinedVector<wire::Segment, 1> Channel::TakeReady(wire::Segment arrived) {
  absl::InlinedVector<wire::Segment, 1> ready;
  ready.push_back(std::move(arrived));
  ++received_;
  while (!early_.empty() && early_.begin()->first == received_ + 1) {
    ready.push_back(std::move(early_.begin()->second));
    early_.erase(early_.begin());
    ++received_;
  }
  return ready;
}

void Channel::AcknowledgeWhenDue() {
  if (unanswered_ == 0) return;
  if (acknowledge_at_ > strand_.Now()) return Wake(acknowledge_, acknowledge_at_, &Channel::AcknowledgeWhenDue);
  wire::Segment alone;
  TransmitNumbered(alone);
}

// ---- alarms

void Channel::Wake(Alarm& alarm, absl::Time at, void (Channel::*due)()) {
  if (alarm.wakes_at <= at) return;
  strand_.Cancel(alarm.timer);
  alarm.wakes_at = at;
  alarm.timer = strand_.After(at - strand_.Now(), [this, &alarm, due] {
    alarm = {};
    (this->*due)();
  });
}

}  // namespace cloudstate::cluster
