#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "emulator/serving/backend.h"
#include "emulator/serving/front_door.h"
#include "emulator/serving/http_answer.h"
#include "emulator/serving/http_text.h"
#include "emulator/serving/per_services.h"
#include "emulator/serving/transcoder.h"

namespace cloudstate::serving {

// What the HTTP requests of one door are answered from. Immutable but for the transcoder, which follows the services.
struct HttpSite {
  using MadeTranscoder = absl::StatusOr<std::unique_ptr<Transcoder>>;

  HttpSite(Backend* backend, AccessPolicy policy, std::map<std::string, HttpHandler> handlers,
           absl::Duration heartbeat_every);

  Backend* const backend;  // null: handlers only
  const AccessPolicy policy;
  const std::map<std::string, HttpHandler> handlers;
  const absl::Duration heartbeat_every;
  PerServices<MadeTranscoder> transcoders;
};

// A whole request as it was read.
struct HttpMessage {
  std::string method;
  std::string target;
  bool http_1_0 = false;
  HttpHeaders headers;  // names in lower case, in their order
  std::string body;
  std::string peer;

  const std::string& Header(absl::string_view name) const;  // the first of that name, or empty
};

// The connection as an exchange sees it. Nothing here calls back before it returns.
class HttpConnection {
 public:
  virtual ~HttpConnection() = default;

  // Sends `bytes`; the exchange's Written follows, unless this was the end of it. At most one at a time.
  enum class Then { kMore, kNextRequest, kClose };
  virtual void Write(std::string bytes, Then then) = 0;

  // Whether another request may follow on this connection, as the client and the server want it.
  virtual bool Persistent() const = 0;

  // One call of the exchange's TimeUp after `delay`, in place of the one asked for before.
  virtual void WakeAfter(absl::Duration delay) = 0;

  // Makes, from any thread, a later call of the exchange's NewsCame on the connection's thread.
  virtual std::function<void()> Waker() = 0;
};

// One request and its answer, from the policy to the last byte. On the connection's thread; destroying it before the
// end cancels the call.
class HttpExchange {
 public:
  HttpExchange(HttpSite& site, HttpConnection& connection, HttpMessage request);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  void Start();
  void Written();
  void TimeUp();
  void NewsCame();

 private:
  enum class Form { kUnary, kLines, kEvents, kRaw };

  bool AnswerProbe();
  void StartCall(HttpRequest request);
  absl::StatusOr<Call> MakeCall(std::string payload) const;
  void TakeUnary(HttpAnswer::News news);
  void TakeStream(HttpAnswer::News news);
  void AppendMessage(const std::string& payload);
  void Open(const std::string& content_type);
  void AppendEnd(const absl::Status& status);
  void Flush();
  void ScheduleWake(absl::Duration heartbeat);

  void Refuse(const HttpError& error);
  void Fail(const absl::Status& status);
  void Reply(int status, absl::string_view content_type, absl::string_view body, HttpHeaders headers);
  HttpHeaders AnswerHeaders() const;

  HttpSite& site_;
  HttpConnection& connection_;
  HttpMessage request_;

  // Of a call.
  std::shared_ptr<const HttpSite::MadeTranscoder> transcoder_;
  const Route* route_ = nullptr;
  Form form_ = Form::kUnary;
  std::shared_ptr<HttpAnswer> answer_;
  std::optional<absl::Time> deadline_;
  Metadata answer_headers_;

  // Of a streamed answer.
  bool opened_ = false;  // the head is written or in pending_
  bool writing_ = false;
  std::string head_;
  std::string pending_;  // body bytes that wait for the write before them
  std::size_t pending_messages_ = 0;
  std::size_t written_messages_ = 0;  // by the write that is under way
  bool whole_ = true;                 // whether the body gets its end
  std::optional<HttpConnection::Then> end_;
};

}  // namespace cloudstate::serving
