#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

namespace cloudstate::support {
namespace {

// The chunks without their sizes.
std::string Joined(std::string_view chunked) {
  std::string body;
  while (true) {
    const std::size_t end = chunked.find("\r\n");
    if (end == std::string_view::npos) return body;
    const std::size_t size = std::strtoul(std::string(chunked.substr(0, end)).c_str(), nullptr, 16);
    if (size == 0 || chunked.size() < end + 2 + size + 2) return body;
    body.append(chunked.substr(end + 2, size));
    chunked.remove_prefix(end + 2 + size + 2);
  }
}

HttpAnswer Parse(const std::string& text) {
  HttpAnswer answer;
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos) return answer;
  const std::vector<std::string> lines = absl::StrSplit(text.substr(0, end), "\r\n");
  const std::vector<std::string> first = absl::StrSplit(lines.front(), ' ');
  if (first.size() < 2 || !absl::SimpleAtoi(first[1], &answer.status)) return answer;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::pair<std::string, std::string> header = absl::StrSplit(lines[i], absl::MaxSplits(": ", 1));
    answer.headers[absl::AsciiStrToLower(header.first)] = header.second;
  }
  answer.body = text.substr(end + 4);
  if (answer.headers["transfer-encoding"] == "chunked") answer.body = Joined(answer.body);
  return answer;
}

}  // namespace

RawConnection::RawConnection(const std::string& address) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const std::size_t colon = address.rfind(':');
  int port = 0;
  sockaddr_in to{};
  to.sin_family = AF_INET;
  const bool valid = colon != std::string::npos && absl::SimpleAtoi(address.substr(colon + 1), &port) &&
                     inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr) == 1;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  ended_ = !valid || connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0;
}

RawConnection::~RawConnection() { close(fd_); }

bool RawConnection::Send(const std::string& bytes) {
  std::size_t sent = 0;
  while (!ended_ && sent < bytes.size()) {
    const ssize_t count = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return !ended_;
}

void RawConnection::HalfClose() { shutdown(fd_, SHUT_WR); }

bool RawConnection::ReadMore(absl::Time deadline) {
  if (ended_) return false;
  pollfd watched{fd_, POLLIN, 0};
  const auto left = absl::ToInt64Milliseconds(deadline - absl::Now());
  if (left <= 0 || poll(&watched, 1, static_cast<int>(left)) <= 0) return false;
  std::array<char, 65536> buffer;
  const ssize_t count = recv(fd_, buffer.data(), buffer.size(), 0);
  ended_ = count <= 0;
  if (!ended_) received_.append(buffer.data(), static_cast<std::size_t>(count));
  return !ended_;
}

const std::string& RawConnection::ReadUntil(const std::string& text, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (received_.find(text) == std::string::npos && ReadMore(deadline)) {
  }
  return received_;
}

bool RawConnection::WaitForEnd(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (ReadMore(deadline)) {
  }
  return ended_;
}

HttpAnswer Http(const std::string& address, const std::string& method, const std::string& target,
                const std::string& body, const std::string& headers) {
  RawConnection connection(address);
  connection.Send(absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: ", address, "\r\nConnection: close\r\n",
                               headers, body.empty() ? "" : absl::StrCat("Content-Length: ", body.size(), "\r\n"),
                               "\r\n", body));
  connection.WaitForEnd(absl::Seconds(20));
  return Parse(connection.ReadUntil(""));
}

}  // namespace cloudstate::support
