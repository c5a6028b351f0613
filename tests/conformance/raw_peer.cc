#include "tests/conformance/raw_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace cloudstate::testing {

void RawPeer::Connection::Send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

int RawPeer::Connection::AwaitFrames(std::uint8_t type, int count) {
  constexpr std::string_view kMagic = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  for (int came = 0;;) {
    if (!greeted_ && received_.size() >= kMagic.size()) {
      greeted_ = true;
      received_.erase(0, kMagic.size());
    }
    while (greeted_ && received_.size() >= 9) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < 3; ++i) size = size << 8 | static_cast<std::uint8_t>(received_[i]);
      if (received_.size() < 9 + size) break;
      if (static_cast<std::uint8_t>(received_[3]) == type) ++came;
      received_.erase(0, 9 + size);
      if (came == count) return came;
    }
    char bytes[4096];
    const ssize_t read = recv(socket_, bytes, sizeof bytes, 0);
    if (read <= 0) return came;
    received_.append(bytes, static_cast<std::size_t>(read));
  }
}

RawPeer::RawPeer(std::function<void(Connection&)> script, bool ipv6) : script_(std::move(script)) {
  sockaddr_in6 address{};
  socklen_t size = sizeof(sockaddr_in);
  auto& v4 = reinterpret_cast<sockaddr_in&>(address);
  if (ipv6) {
    size = sizeof address;
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
  } else {
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  listener_ = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 16) != 0) std::abort();
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(v4.sin_port);  // at the same place in both
  thread_ = std::thread([this] { Run(); });
}

RawPeer::~RawPeer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    shutdown(listener_, SHUT_RDWR);
    if (connected_ >= 0) shutdown(connected_, SHUT_RDWR);
  }
  thread_.join();
  close(listener_);
}

void RawPeer::Run() {
  while (true) {
    const int accepted = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0) return;
    {
      std::lock_guard lock(mutex_);
      connected_ = accepted;
      if (stopping_) shutdown(accepted, SHUT_RDWR);
    }
    Connection connection(accepted);
    script_(connection);
    std::lock_guard lock(mutex_);
    connected_ = -1;
    close(accepted);
  }
}

std::string Number(std::uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift & 0xff));
  return bytes;
}

std::string Frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  std::string frame = Number(static_cast<std::uint32_t>(payload.size())).substr(1);
  frame.push_back(static_cast<char>(type));
  frame.push_back(static_cast<char>(flags));
  return frame.append(Number(stream)).append(payload);
}

// A literal that is not indexed, neither name nor value compressed (RFC 7541, 6.2.2); both shorter than 127 bytes.
std::string Field(std::string_view name, std::string_view value) {
  std::string field(1, '\0');
  for (std::string_view text : {name, value}) field.append(1, static_cast<char>(text.size())).append(text);
  return field;
}

std::string GrpcMessage(std::string_view message, char flag) {
  return std::string(1, flag).append(Number(static_cast<std::uint32_t>(message.size()))).append(message);
}

std::string Greeting() { return Frame(kSettings, 0, 0, ""); }

}  // namespace cloudstate::testing
