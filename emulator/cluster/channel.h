#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "absl/container/inlined_vector.h"
#include "absl/time/time.h"
#include "cloudstate/cluster/wire.pb.h"
#include "emulator/base/lifetime.h"
#include "emulator/base/strand.h"

namespace cloudstate::cluster {

// An ordered, complete conversation between two lives of nodes over a network that loses, repeats and reorders:
// numbered segments, cumulative acknowledgements, repetition with back-off. As with TCP, what the network does to
// messages shows as delay only. It ends with either life. Lives on its node's strand.
//
// What is repeated is all that has been on its way for too long, not only the oldest: after a partition all of it is
// lost, and one by one would take a round trip each. So that a slow link is not taken for a lossy one, "too long" is at
// least twice the round trip that was seen, and a back-off ends as in RFC 6298: with the first answer to a segment sent
// after it began, since only then it is clear which copy was answered.
class Channel {
 public:
  struct Options {
    absl::Duration acknowledge_after = absl::Milliseconds(20);  // unless something goes the other way before
    absl::Duration repeat_after = absl::Milliseconds(200);  // at first; doubled each time without progress, up to …
    absl::Duration repeat_at_most = absl::Seconds(2);
    std::size_t window = 256;  // segments that may be on their way; further ones wait here
  };
  using Transmit = std::function<void(const wire::Segment&)>;  // into the network; calls nothing here
  // With content, once each, in order. May end the channel.
  using Receive = std::function<void(wire::Segment)>;

  Channel(const Options& options, base::Strand& strand, Transmit transmit, Receive receive);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // `content` has no numbers yet.
  void Send(wire::Segment content);
  void OnSegment(wire::Segment segment);

  std::size_t unacknowledged() const { return unacknowledged_.size() + waiting_.size(); }

 private:
  struct Sent {
    wire::Segment segment;
    absl::Time at;      // the last time
    bool timed = true;  // nothing has been repeated since: its answer tells the round trip
  };
  // Set much more often than it is due, so it is left to run out where the time for it has moved back.
  struct Alarm {
    absl::Time wakes_at = absl::InfiniteFuture();
    base::TimerId timer = base::TimerId::kNone;
  };

  void SendWaiting();
  void TransmitNumbered(wire::Segment& segment);
  void OnAcknowledged(std::uint64_t sequence);
  void OnRoundTrip(absl::Duration time);
  // Those that are next to be received, the arrived one first.
  absl::InlinedVector<wire::Segment, 1> TakeReady(wire::Segment arrived);

  void Wake(Alarm& alarm, absl::Time at, void (Channel::*due)());
  void RepeatWhenDue();
  void AcknowledgeWhenDue();

  const Options options_;
  base::Strand& strand_;
  const Transmit transmit_;
  const std::shared_ptr<const Receive> receive_;  // shared with a call of it

  std::uint64_t last_sent_ = 0;
  std::deque<Sent> unacknowledged_;    // on their way, in order
  std::deque<wire::Segment> waiting_;  // for a place in the window
  absl::Duration round_trip_;          // smoothed; zero before the first
  absl::Duration repeat_in_;
  Alarm repeat_;

  std::uint64_t received_ = 0;                    // all up to this one
  std::map<std::uint64_t, wire::Segment> early_;  // those behind a gap
  std::size_t unanswered_ = 0;                    // segments that came since the last acknowledgement went
  absl::Time acknowledge_at_;                     // where there are any
  Alarm acknowledge_;
  base::Lifetime lifetime_;
};

}  // namespace cloudstate::cluster
