#include "emulator/tck/peer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/base/real_strand.h"
#include "emulator/base/view.h"

namespace cloudstate::tck {
namespace {

using google::protobuf::Message;

// `bytes` as a message like `prototype`; null if they are none.
std::unique_ptr<Message> Parse(const Message& prototype, const std::string& bytes) {
  std::unique_ptr<Message> message(prototype.New());
  return message->ParseFromString(bytes) ? std::move(message) : nullptr;
}

std::string LineOf(const Message& prototype, const std::string& bytes) {
  const std::unique_ptr<Message> message = Parse(prototype, bytes);
  if (message != nullptr) return MessageLine(*message);
  return absl::StrCat(bytes.size(), " bytes that are no ", prototype.GetTypeName());
}

void ExpectStatus(const absl::Status& status, absl::StatusCode code, std::string_view text) {
  if (status.code() == code && (text.empty() || status.message() == base::ToAbsl(text))) return;
  const std::string expected = Describe(absl::Status(code, base::ToAbsl(text)));
  throw CaseFailure{"The call ended in another way than expected.", CompareLines(expected, Describe(status))};
}

}  // namespace

std::string Describe(const absl::Status& status) {
  if (status.ok()) return "OK";
  return absl::StrCat(absl::StatusCodeToString(status.code()), status.message().empty() ? "" : ": ",
                      absl::Utf8SafeCEscape(status.message()));
}

void ExpectSame(const Message& expected, const std::string& bytes) {
  const std::unique_ptr<Message> received = Parse(expected, bytes);
  if (received == nullptr) {
    throw CaseFailure{absl::StrCat("What came is no ", expected.GetTypeName(), ": ", bytes.size(), " bytes.")};
  }
  if (SameMessage(expected, *received)) return;
  throw CaseFailure{"The message is not the expected one.",
                    CompareLines(MessageText(expected), MessageText(*received))};
}

// ---- streams

WireStream::WireStream(std::string name, std::string_view method, Link& link, userfunction::Connection& connection,
                       Conversation& conversation)
    : name_(std::move(name)), link_(link), conversation_(conversation) {
  Note("opens", method);
  base::RunOn(link_.strand(), [&] {
    stream_ = connection.Open(
        method, absl::InfiniteDuration(),
        {.on_message =
             [this](std::string message) {
               conversation_.waiting.Apply([&] { messages_.push_back(std::move(message)); });
             },
         .on_closed =
             [this](absl::Status status) { conversation_.waiting.Apply([&] { closed_ = std::move(status); }); },
         .on_writable = {}});
  });
}

WireStream::~WireStream() {
  base::RunOn(link_.strand(), [this] { stream_ = nullptr; });
}

void WireStream::Send(const Message& message) {
  Note("→", MessageLine(message));
  base::RunOn(link_.strand(), [&] { stream_->Write(message.SerializeAsString()); });
}

void WireStream::HalfClose() {
  Note("→", "half-closes");
  base::RunOn(link_.strand(), [&] { stream_->HalfClose(); });
}

void WireStream::Cancel() {
  Note("→", "cancels");
  base::RunOn(link_.strand(), [&] { stream_ = nullptr; });
  messages_.clear();
  closed_.reset();
}

WireStream::Arrival WireStream::Take(std::string_view expected) {
  Arrival arrival;
  const auto came = [&] { return closed_.has_value() || !messages_.empty(); };
  if (!conversation_.waiting.Until(conversation_.deadline, came)) {
    throw CaseFailure{
        absl::StrCat("Nothing came within the time of a case. Expected: ", base::ToAbsl(expected)), {}, true};
  }
  conversation_.waiting.Apply([&] {
    if (messages_.empty()) {
      arrival.end = *std::exchange(closed_, std::nullopt);
    } else {
      arrival.message = std::move(messages_.front());
      messages_.pop_front();
    }
  });
  if (!arrival.message.has_value()) Note("←", absl::StrCat("end of the call: ", Describe(arrival.end)));
  return arrival;
}

void WireStream::Expect(const Message& expected) { ExpectArrived(expected, Take(MessageLine(expected))); }

void WireStream::ExpectArrived(const Message& expected, const Arrival& arrival) {
  if (!arrival.message.has_value()) {
    throw CaseFailure{"The call ended where a message was expected.",
                      CompareLines(MessageText(expected), absl::StrCat("end of the call: ", Describe(arrival.end)))};
  }
  Note("←", LineOf(expected, *arrival.message));
  ExpectSame(expected, *arrival.message);
}

void WireStream::ExpectInAnyOrder(std::vector<std::reference_wrapper<const Message>> expected) {
  while (expected.size() > 1) {
    const Message& likeliest = expected.front();
    const Arrival arrival = Take(MessageLine(likeliest));
    const std::unique_ptr<Message> received =
        arrival.message.has_value() ? Parse(likeliest, *arrival.message) : nullptr;
    const auto found = std::find_if(expected.begin(), expected.end(), [&](const Message& each) {
      return received != nullptr && SameMessage(each, *received);
    });
    if (found == expected.end()) {
      ExpectArrived(likeliest, arrival);
    } else {
      Note("←", MessageLine(*received));
      expected.erase(found);
    }
  }
  if (!expected.empty()) Expect(expected.front());
}

void WireStream::ExpectEnd(absl::StatusCode code, std::string_view text) {
  const Arrival arrival = Take("the end of the call");
  if (arrival.message.has_value()) {
    throw CaseFailure{
        absl::StrCat("A message of ", arrival.message->size(), " bytes came where the call was expected to end.")};
  }
  ExpectStatus(arrival.end, code, text);
}

void WireStream::ExpectSilence() {
  conversation_.waiting.Until(absl::Now() + kQuiet, [&] { return closed_.has_value() || !messages_.empty(); });
  ExpectNothingLeft();
}

void WireStream::ExpectNothingLeft() {
  conversation_.waiting.Apply([&] {
    if (!messages_.empty()) {
      throw CaseFailure{absl::StrCat("On call ", name_, " came more than was expected: ", messages_.size(),
                                     " message(s), the first of ", messages_.front().size(), " bytes.")};
    }
    if (closed_.has_value()) {
      throw CaseFailure{absl::StrCat("Call ", name_, " was ended, unexpectedly: ", Describe(*closed_))};
    }
  });
}

void WireStream::Note(std::string_view arrow, std::string_view what) {
  conversation_.Note(absl::StrCat(name_, " ", base::ToAbsl(arrow), " ", base::ToAbsl(what)));
}

// ---- peers

Peer::Peer(std::string name, Link& link, Conversation& conversation)
    : name_(std::move(name)), link_(link), conversation_(conversation) {}

userfunction::Connection& Peer::connection() {
  if (connection_ == nullptr) connection_ = link_.Connected(conversation_.deadline);
  if (connection_ == nullptr) {
    throw CaseFailure{absl::StrCat("Nobody accepts connections at ", link_.address(), "."), {}, true};
  }
  return *connection_;
}

WireStream& Peer::Open(std::string_view method) {
  streams_.push_back(std::make_unique<WireStream>(absl::StrCat(name_, " #", streams_.size()), method, link_,
                                                  connection(), conversation_));
  return *streams_.back();
}

absl::StatusOr<std::string> Peer::Call(std::string_view method, const Message& request) {
  conversation_.Note(absl::StrCat(name_, " → ", base::ToAbsl(method), " ", MessageLine(request)));
  const auto answer = std::make_shared<std::optional<absl::StatusOr<std::string>>>();
  const absl::Duration left = std::max(conversation_.deadline - absl::Now(), absl::Milliseconds(1));
  connection().Call(method, request.SerializeAsString(), left,
                    [&waiting = conversation_.waiting, answer](absl::StatusOr<std::string> result) {
                      waiting.Apply([&] { *answer = std::move(result); });
                    });
  // gRPC ends the call at the deadline by itself.
  conversation_.waiting.Until(conversation_.deadline + absl::Seconds(1), [&] { return answer->has_value(); });
  if (!answer->has_value() || absl::IsDeadlineExceeded((*answer)->status())) {
    throw CaseFailure{absl::StrCat(base::ToAbsl(method), " was not answered within the time of a case."), {}, true};
  }
  return **answer;
}

void Peer::ExpectReply(std::string_view method, const Message& request, const Message& expected) {
  const absl::StatusOr<std::string> answer = Call(method, request);
  conversation_.Note(absl::StrCat(name_, " ← ", answer.ok() ? LineOf(expected, *answer) : Describe(answer.status())));
  if (!answer.ok()) {
    throw CaseFailure{"The call failed where a message was expected.",
                      CompareLines(MessageText(expected), Describe(answer.status()))};
  }
  ExpectSame(expected, *answer);
}

void Peer::ExpectFailure(std::string_view method, const Message& request, absl::StatusCode code,
                         std::string_view text) {
  const absl::StatusOr<std::string> answer = Call(method, request);
  conversation_.Note(
      absl::StrCat(name_, " ← ", answer.ok() ? absl::StrCat(answer->size(), " bytes") : Describe(answer.status())));
  ExpectStatus(answer.status(), code, text);
}

void Peer::ExpectNothingLeft() {
  for (const std::unique_ptr<WireStream>& stream : streams_) stream->ExpectNothingLeft();
}

}  // namespace cloudstate::tck
