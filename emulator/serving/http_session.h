#pragma once

#include <functional>
#include <memory>

#include "emulator/serving/http_site.h"
#include "emulator/serving/listener.h"

namespace cloudstate::serving {

// One HTTP/1.1 connection: reads its requests one after another, pipelined ones in their order, and has each answered
// by an exchange. Watches the clock for clients that are slow, and the socket for ones that go away. Becomes a
// WebSocket when a request asks for one. On the io_context's thread.
class HttpSession {
 public:
  virtual ~HttpSession() = default;

  // Takes no further request: ends now if none is being answered.
  virtual void Drain() = 0;

  // Ends now, and cancels what is being answered.
  virtual void Close() = 0;
};

// Takes over the connection. `ended` is called once, when the session has nothing open any more.
std::shared_ptr<HttpSession> StartHttpSession(boost::asio::io_context& io, HttpSite& site, Connection connection,
                                              std::function<void(HttpSession*)> ended);

}  // namespace cloudstate::serving
