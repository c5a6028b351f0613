#pragma once

#include <memory>
#include <string>

#include "emulator/base/real_strand.h"
#include "emulator/tck/waiting.h"
#include "emulator/userfunction/connection.h"
#include "emulator/userfunction/grpc_connection.h"

namespace cloudstate::tck {

// Keeps reaching for an address over gRPC, and lets the thread of the cases wait until it is there. Used by that
// thread.
class Link {
 public:
  // `address` is HOST:PORT; `waiting` outlives this.
  Link(std::string address, Waiting& waiting);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // The connection as soon as there is one; null when `deadline` passes before. Not to be used longer than this.
  std::shared_ptr<userfunction::Connection> Connected(absl::Time deadline);

  // Streams of the connection live on it.
  base::Strand& strand() { return strand_; }
  const std::string& address() const { return address_; }

 private:
  const std::string address_;
  Waiting& waiting_;
  std::shared_ptr<userfunction::Connection> connection_;  // guarded by waiting_
  base::TimerThread timers_;
  base::RealStrand strand_{timers_};
  std::unique_ptr<userfunction::GrpcTransport> transport_;
};

}  // namespace cloudstate::tck
