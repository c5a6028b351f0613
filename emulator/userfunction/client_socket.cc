#include "emulator/userfunction/client_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cloudstate::userfunction {
namespace {

// Gives up after a second: a host may swallow the attempt without an answer.
bool Connects(int fd, const addrinfo& address, const base::WakeEvent& stop) {
  if (connect(fd, address.ai_addr, address.ai_addrlen) == 0) return true;
  if (errno != EINPROGRESS) return false;
  pollfd waits[] = {{fd, POLLOUT, 0}, {stop.descriptor(), POLLIN, 0}};
  int error = 0;
  socklen_t size = sizeof error;
  return poll(waits, 2, 1000) > 0 && (waits[0].revents & POLLOUT) != 0 &&
         getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

// Nobody listens on a port that the system may choose for us, and it has chosen it: TCP lets us talk to ourselves.
bool IsItsOwnPeer(int fd) {
  sockaddr_storage local{};
  sockaddr_storage peer{};
  socklen_t local_size = sizeof local;
  socklen_t peer_size = sizeof peer;
  return getsockname(fd, reinterpret_cast<sockaddr*>(&local), &local_size) == 0 &&
         getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0 && local_size == peer_size &&
         std::memcmp(&local, &peer, local_size) == 0;
}

}  // namespace

std::optional<int> ConnectTo(const std::string& address, const base::WakeEvent& stop) {
  const auto colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string port = address.substr(colon + 1);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return std::nullopt;
  std::optional<int> connected;
  for (addrinfo* each = found; each != nullptr && !connected.has_value(); each = each->ai_next) {
    const int fd = socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, each->ai_protocol);
    if (fd < 0) continue;
    if (Connects(fd, *each, stop) && !IsItsOwnPeer(fd)) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      connected = fd;
    } else {
      close(fd);
    }
  }
  freeaddrinfo(found);
  return connected;
}

}  // namespace cloudstate::userfunction
