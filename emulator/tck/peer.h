#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "emulator/tck/conversation.h"
#include "emulator/tck/link.h"
#include "google/protobuf/message.h"

namespace cloudstate::tck {

// One call in messages, for the thread of the cases: each verb notes what it does and throws CaseFailure where things
// are not as expected. Cancelled when it goes.
class WireStream {
 public:
  WireStream(std::string name, std::string_view method, Link& link, userfunction::Connection& connection,
             Conversation& conversation);
  ~WireStream();
  WireStream(const WireStream&) = delete;
  WireStream& operator=(const WireStream&) = delete;

  void Send(const google::protobuf::Message& message);
  void HalfClose();
  void Cancel();

  // The next thing that comes is this message.
  void Expect(const google::protobuf::Message& expected);
  // The next things that come are these messages, which are of one type, in any order.
  void ExpectInAnyOrder(std::vector<std::reference_wrapper<const google::protobuf::Message>> expected);
  // The next thing that comes is the end of the call, with this code and, unless it is empty, this text.
  void ExpectEnd(absl::StatusCode code = absl::StatusCode::kOk, std::string_view text = "");

  // What comes next, where a case cannot say it as one message: bytes, or how the call ended. `expected` says what it
  // waits for.
  struct Arrival {
    std::optional<std::string> message;
    absl::Status end;  // without a message
  };
  Arrival Take(std::string_view expected);

  // Nothing comes now.
  void ExpectSilence();
  // Nothing has come that no verb has taken.
  void ExpectNothingLeft();

 private:
  void ExpectArrived(const google::protobuf::Message& expected, const Arrival& arrival);
  void Note(std::string_view arrow, std::string_view what);

  const std::string name_;
  Link& link_;
  Conversation& conversation_;
  std::deque<std::string> messages_;    // guarded by conversation_.waiting, as the next one
  std::optional<absl::Status> closed_;  // until it has been told
  std::unique_ptr<userfunction::Stream> stream_;
};

// What the kit talks to as one case does: the user function itself, or the emulator's client port.
class Peer {
 public:
  // `name` is what the steps call it.
  Peer(std::string name, Link& link, Conversation& conversation);

  // Opens a call of any shape; it lives as long as this.
  WireStream& Open(std::string_view method);

  // One message, one answer.
  absl::StatusOr<std::string> Call(std::string_view method, const google::protobuf::Message& request);
  void ExpectReply(std::string_view method, const google::protobuf::Message& request,
                   const google::protobuf::Message& expected);
  void ExpectFailure(std::string_view method, const google::protobuf::Message& request, absl::StatusCode code,
                     std::string_view text);

  // On no call has something come that no verb has taken.
  void ExpectNothingLeft();

 private:
  userfunction::Connection& connection();

  const std::string name_;
  Link& link_;
  Conversation& conversation_;
  std::shared_ptr<userfunction::Connection> connection_;
  std::vector<std::unique_ptr<WireStream>> streams_;
};

// `bytes` as a message of the type of `expected`; throws CaseFailure unless it is the same.
void ExpectSame(const google::protobuf::Message& expected, const std::string& bytes);

// "OK", "UNKNOWN: text".
std::string Describe(const absl::Status& status);

}  // namespace cloudstate::tck
