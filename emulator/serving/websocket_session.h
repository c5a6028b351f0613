#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>

#include "emulator/serving/http_exchange.h"
#include "emulator/serving/http_site.h"

namespace cloudstate::serving {

// One call over a WebSocket: a text frame is a JSON message, an empty one says that the client has no more of them, and
// the close code is how the call ended; docs/http.md has it all. Holds back both sides: at most one message is read
// that the backend has not asked for, and the backend learns what the client has not taken. On the io_context's thread.
class WebSocketSession {
 public:
  virtual ~WebSocketSession() = default;

  // Ends now, without a farewell, and cancels the call.
  virtual void Close() = 0;
};

// Takes over the socket, whose handshake has been read and not answered. `ended` is called once, when nothing is open
// any more.
std::shared_ptr<WebSocketSession> StartWebSocket(boost::asio::io_context& io, boost::asio::ip::tcp::socket socket,
                                                 HttpSite& site, WebSocketOpening opening, std::function<void()> ended);

}  // namespace cloudstate::serving
