#pragma once

#include <memory>
#include <utility>

#include "emulator/base/strand.h"
#include "emulator/runtime/fault_book.h"
#include "emulator/userfunction/connection.h"
#include "emulator/userfunction/dialect.h"

namespace cloudstate::runtime {

// A connection whose streams go wrong where a test wants it to, after a command that a fault strikes:
//
//   LOST_STREAM  in place of the first answer the stream ends with UNAVAILABLE: so the command has got there for sure
//   SLOW         each answer comes later, in order
//   NO_ANSWER    what answers the command is dropped, and the stream stays
//
// While there is no fault, of each stream no more than the first message is looked at. What is no stream of entities or
// actions passes. Entities' streams that are half-closed and that the user function has not ended are counted in the
// book. On the strand; destroying a stream does not need this.
class FaultyConnection final : public userfunction::Connection {
 public:
  // The references outlive this and its streams.
  FaultyConnection(std::shared_ptr<userfunction::Connection> connection, base::Strand& strand, FaultBook& faults,
                   userfunction::Dialect dialect)
      : connection_(std::move(connection)), strand_(strand), faults_(faults), dialect_(dialect) {}

  std::unique_ptr<userfunction::Stream> Open(std::string_view method, absl::Duration timeout,
                                             userfunction::StreamHandler handler) override;
  void Call(std::string_view method, std::string request, absl::Duration timeout,
            absl::AnyInvocable<void(absl::StatusOr<std::string>)> done) override {
    connection_->Call(method, std::move(request), timeout, std::move(done));
  }

 private:
  class Conversation;
  class OwnersStream;

  const std::shared_ptr<userfunction::Connection> connection_;
  base::Strand& strand_;
  FaultBook& faults_;
  const userfunction::Dialect dialect_;
};

}  // namespace cloudstate::runtime
