#include "emulator/userfunction/reserved_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace cloudstate::userfunction {

absl::StatusOr<ReservedPort> ReservedPort::Take() {
  ReservedPort port(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 0);
  const int on = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = port.held() && setsockopt(port.descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                     bind(port.descriptor_, generic, size) == 0 && getsockname(port.descriptor_, generic, &size) == 0;
  if (!bound) return absl::UnavailableError("the system has no free port for the user function");
  port.number_ = ntohs(address.sin_port);
  return port;
}

ReservedPort::~ReservedPort() { Release(); }

ReservedPort::ReservedPort(ReservedPort&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), number_(other.number_) {}

ReservedPort& ReservedPort::operator=(ReservedPort&& other) noexcept {
  Release();
  descriptor_ = std::exchange(other.descriptor_, -1);
  number_ = other.number_;
  return *this;
}

void ReservedPort::Release() {
  if (held()) close(std::exchange(descriptor_, -1));
}

}  // namespace cloudstate::userfunction
