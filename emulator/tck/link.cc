#include "emulator/tck/link.h"

#include <utility>

namespace cloudstate::tck {
namespace {

constexpr std::size_t kMaxMessageBytes = 12 << 20;

}  // namespace

Link::Link(std::string address, Waiting& waiting) : address_(std::move(address)), waiting_(waiting) {
  transport_ = userfunction::GrpcTransport::Start(
      address_, kMaxMessageBytes, strand_,
      {.up =
           [this](std::shared_ptr<userfunction::Connection> connection) {
             waiting_.Apply([&] { connection_ = std::move(connection); });
           },
       .down = [this](const absl::Status&) { waiting_.Apply([&] { connection_ = nullptr; }); }});
}

Link::~Link() {
  transport_ = nullptr;   // first: it posts to the strand
  connection_ = nullptr;  // not to be held longer than the strand
}

std::shared_ptr<userfunction::Connection> Link::Connected(absl::Time deadline) {
  std::shared_ptr<userfunction::Connection> connection;
  waiting_.Until(deadline, [&] {
    connection = connection_;
    return connection != nullptr;
  });
  return connection;
}

}  // namespace cloudstate::tck
