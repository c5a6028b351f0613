#pragma once

#include <map>
#include <string>

#include "absl/time/time.h"

namespace cloudstate::support {

struct HttpAnswer {
  int status = 0;                              // 0: no HTTP came back
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// A TCP connection of a client that may well misbehave.
class RawConnection {
 public:
  // To HOST:PORT on IPv4. A connection that fails behaves as one that was closed.
  explicit RawConnection(const std::string& address);
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  // False once the other side has closed.
  bool Send(const std::string& bytes);
  void HalfClose();
  // What has come so far, as soon as it contains `text`, the other side closes, or `timeout` passes.
  const std::string& ReadUntil(const std::string& text, absl::Duration timeout = absl::Seconds(10));
  // Whether the other side closes within `timeout`; what comes before is kept.
  bool WaitForEnd(absl::Duration timeout = absl::Seconds(10));

 private:
  // False at the end, or when nothing comes before `deadline`.
  bool ReadMore(absl::Time deadline);

  int fd_;
  bool ended_ = false;
  std::string received_;
};

// One request on a connection of its own. `headers` are whole lines, each with its end.
HttpAnswer Http(const std::string& address, const std::string& method, const std::string& target,
                const std::string& body = "", const std::string& headers = "Content-Type: application/json\r\n");

}  // namespace cloudstate::support
