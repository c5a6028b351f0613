#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace cloudstate::testing {

// A peer that says what a test wants, right or wrong, to each connection after the other.
class RawPeer {
 public:
  // One accepted connection, which is closed when the script returns.
  class Connection {
   public:
    explicit Connection(int socket) : socket_(socket) {}
    void Send(std::string_view bytes) const;
    // Reads until so many HTTP/2 frames of this type have come, or the client has gone; returns how many came.
    int AwaitFrames(std::uint8_t type, int count = 1);
    // Reads until the client has gone.
    void AwaitEnd() { AwaitFrames(0xff); }

   private:
    const int socket_;
    std::string received_;
    bool greeted_ = false;
  };

  explicit RawPeer(std::function<void(Connection&)> script, bool ipv6 = false);
  ~RawPeer();
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  void Run();

  const std::function<void(Connection&)> script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  bool stopping_ = false;
  int connected_ = -1;
  std::thread thread_;
};

// Frames of HTTP/2 (RFC 9113), and what they carry.
inline constexpr std::uint8_t kData = 0;
inline constexpr std::uint8_t kHeaders = 1;
inline constexpr std::uint8_t kReset = 3;
inline constexpr std::uint8_t kSettings = 4;
inline constexpr std::uint8_t kGoAway = 7;
inline constexpr std::uint8_t kEndStream = 0x1;
inline constexpr std::uint8_t kEndHeaders = 0x4;

std::string Frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload);
std::string Number(std::uint32_t number);                             // four bytes
std::string Field(std::string_view name, std::string_view value);     // of a header block
std::string GrpcMessage(std::string_view message, char flag = '\0');  // with its prefix
std::string Greeting();                                               // a server's first frame

}  // namespace cloudstate::testing
