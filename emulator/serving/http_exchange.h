#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "emulator/serving/backend.h"
#include "emulator/serving/http_answer.h"
#include "emulator/serving/http_form.h"
#include "emulator/serving/http_message.h"
#include "emulator/serving/http_site.h"

namespace cloudstate::serving {

// A WebSocket to be opened: the handshake's request, the call, and how its messages are read.
struct WebSocketOpening {
  HttpMessage request;
  Call call;
  MessageTarget target;
  std::shared_ptr<const Transcoder> transcoder;  // keeps the target's route
};

// The connection as an exchange sees it. Nothing here calls back before it returns.
class HttpConnection {
 public:
  virtual ~HttpConnection() = default;

  // Sends `bytes`; the exchange's Written follows, unless this was the end of it. At most one at a time.
  enum class Then { kMore, kNextRequest, kClose };
  virtual void Write(std::string bytes, Then then) = 0;

  // Makes a WebSocket of the connection; the exchange is over.
  virtual void Upgrade(WebSocketOpening opening) = 0;

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

  // Either of these begins it. Refuse is for a request that could not be read to its end.
  void Start();
  void Refuse(const HttpError& error);

  void Written();
  void TimeUp();
  void NewsCame();

  // The client has ended its side of the connection: either it has gone, or it only has nothing more to say. Writes
  // something that means nothing, because who has gone answers that with a reset. False if nothing can be written.
  bool ProbeClient();

 private:
  bool IsRefused();
  bool IsAnsweredBeside(const HttpRequest& request);
  bool IsOfForeignPage();
  void OpenWebSocket(const HttpRequest& request);
  void StartCall(const HttpRequest& request);
  void AnswerUnary(HttpAnswer::News news);
  void ContinueStream(HttpAnswer::News news);
  void AppendMessage(const std::string& payload);
  void AppendEnd(const absl::Status& status);
  void Open(const std::string& content_type);
  void Reply(const HttpResponse& response);
  void Flush();
  void ScheduleWake(absl::Duration heartbeat);
  HttpHeaders CommonHeaders() const;

  HttpSite& site_;
  HttpConnection& connection_;
  HttpMessage request_;

  // Of a call.
  std::unique_ptr<HttpForm> form_;
  const google::protobuf::MethodDescriptor* method_ = nullptr;  // the form keeps it
  std::shared_ptr<HttpAnswer> answer_;
  std::optional<absl::Time> deadline_;
  Metadata answer_headers_;

  // What is to be sent.
  bool opened_ = false;   // the answer's head is written or in raw_
  bool chunked_ = false;  // whether its body is
  bool whole_ = true;     // whether the body gets its end
  bool writing_ = false;
  std::string raw_;   // heads and bodies of known length
  std::string body_;  // the stream's bytes that wait for the write before them
  std::size_t body_messages_ = 0;
  std::size_t written_messages_ = 0;  // by the write that is under way
  std::optional<HttpConnection::Then> end_;
};

}  // namespace cloudstate::serving
