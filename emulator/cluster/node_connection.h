#pragma once

#include <memory>

#include "emulator/cluster/node_strand.h"
#include "emulator/userfunction/connection.h"

namespace cloudstate::cluster {

// A node's own streams over the connection to the user function that all nodes share. What the user function says waits
// while the node is paused, and further messages of a stream are held up. Destroying it, with the node's life, cancels
// its streams and drops their handlers and those of calls; destroying a stream does not need it. On the strand.
class NodeConnection final : public userfunction::Connection {
 public:
  NodeConnection(NodeStrand& strand, std::shared_ptr<userfunction::Connection> connection);
  ~NodeConnection() override;

  // A stream that is opened after Sever is dead: nothing is sent, and its handler, dropped, hears of nothing.
  std::unique_ptr<userfunction::Stream> Open(std::string_view method, absl::Duration timeout,
                                             userfunction::StreamHandler handler) override;
  // After Sever `done` is dropped.
  void Call(std::string_view method, std::string request, absl::Duration timeout,
            absl::AnyInvocable<void(absl::StatusOr<std::string>)> done) override;

  // Cancels all streams and drops their handlers, and those of calls, without calling them, even while others still
  // hold this or the streams. Also from within one of them, which then stays whole until it returns.
  void Sever();

 private:
  class Conversation;
  class NodeStream;
  struct Life;

  NodeStrand& strand_;
  std::shared_ptr<userfunction::Connection> connection_;
  std::shared_ptr<Life> life_;
};

}  // namespace cloudstate::cluster
