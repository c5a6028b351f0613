#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

namespace cloudstate::testing {

// gRPC's own server, in a process of its own, which can thus be killed. Its methods:
//
//   /peer/echo      every message comes back; the call ends with OK when the client half-closes
//   /peer/fail      ends with the status that the first message says: CODE TEXT
//   /peer/silent    nothing, until the client cancels
//   /peer/flood     "COUNT SIZE" is answered with so many messages of that size, then OK
//   /peer/swallow   reads nothing for as long as the process has not been asked for /peer/read
//   /peer/read      lets all /peer/swallow go on; they end with the number of bytes that they read
//   /peer/deadline  the milliseconds that the client gives the call
//   /peer/counts    "open cancelled written": calls but this one, cancelled ones so far, messages written for floods
class GrpcPeer {
 public:
  // `port` 0 is any free one. `max_streams` 0 is as many as gRPC allows by itself.
  static std::unique_ptr<GrpcPeer> Start(std::uint16_t port = 0, int max_streams = 0);
  // Kills it.
  ~GrpcPeer();
  GrpcPeer(const GrpcPeer&) = delete;
  GrpcPeer& operator=(const GrpcPeer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  GrpcPeer(pid_t pid, int input, std::uint16_t port) : pid_(pid), input_(input), port_(port) {}

  const pid_t pid_;
  const int input_;  // the process ends when this is closed, even if the test dies
  const std::uint16_t port_;
};

// What the test program does as a peer; it is one if its first argument is kServe.
inline constexpr char kServe[] = "--serve-as-grpc-peer";
int ServeAsGrpcPeer(const std::string& port, const std::string& max_streams);

}  // namespace cloudstate::testing
