#include "emulator/cluster/node_connection.h"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace cloudstate::cluster {

using Done = absl::AnyInvocable<void(absl::StatusOr<std::string>)>;

// What goes with the node's life; held by the connection, and by each stream. In the order in which they were opened,
// so that ending them does the same in each run.
struct NodeConnection::Life {
  bool severed = false;
  std::uint64_t last = 0;
  std::map<std::uint64_t, std::weak_ptr<Conversation>> streams;
  std::map<std::uint64_t, Done> calls;

  void Answer(std::uint64_t call, absl::StatusOr<std::string> answer) {
    auto found = calls.extract(call);
    if (!found.empty()) found.mapped()(std::move(answer));
  }
};

// What a stream of the shared connection and its owner here have in common; held by the owner's stream, and by
// callbacks while they run.
class NodeConnection::Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(NodeStrand& strand, userfunction::StreamHandler handler)
      : strand_(strand), handler_(std::move(handler)) {}

  void Open(userfunction::Connection& connection, std::string_view method, absl::Duration timeout);
  // No callback after that. The handler goes with this, or after a callback of it that runs.
  void Cancel();
  // Cancels, and drops the handler as soon as no callback of it runs.
  void Sever();

  void OwnerPaused(bool paused);
  userfunction::Stream* stream() { return stream_.get(); }

 private:
  template <typename Callback>
  void RunOrHold(Callback callback);
  template <typename Callback>
  void Tell(Callback callback);
  void DropHandler() {
    // It may own what owns the stream.
    const userfunction::StreamHandler dropped = std::exchange(handler_, {});
  }

  NodeStrand& strand_;
  userfunction::StreamHandler handler_;
  std::unique_ptr<userfunction::Stream> stream_;  // of the shared connection; none once cancelled
  bool cancelled_ = false;
  bool drop_ = false;  // the handler, once no callback of it runs
  int running_ = 0;
  std::size_t held_ = 0;  // callbacks that wait for the end of the node's pause
  bool owner_paused_ = false;
};

void NodeConnection::Conversation::Open(userfunction::Connection& connection, std::string_view method,
                                        absl::Duration timeout) {
  // Those of the shared connection may outlive the stream, although they are not called then.
  const std::weak_ptr<Conversation> weak = weak_from_this();
  userfunction::StreamHandler outer;
  outer.on_message = [weak](std::string message) {
    if (const auto self = weak.lock()) {
      self->RunOrHold([message = std::move(message)](userfunction::StreamHandler& handler) mutable {
        handler.on_message(std::move(message));
      });
    }
  };
  outer.on_closed = [weak](absl::Status status) {
    if (const auto self = weak.lock()) {
      self->RunOrHold([status = std::move(status)](userfunction::StreamHandler& handler) mutable {
        handler.on_closed(std::move(status));
      });
    }
  };
  if (handler_.on_writable) {
    outer.on_writable = [weak] {
      if (const auto self = weak.lock()) {
        self->RunOrHold([](userfunction::StreamHandler& handler) { handler.on_writable(); });
      }
    };
  }
  stream_ = connection.Open(method, timeout, std::move(outer));
}

template <typename Callback>
void NodeConnection::Conversation::RunOrHold(Callback callback) {
  if (cancelled_) return;
  if (!strand_.holding()) return Tell(std::move(callback));
  // What says much would otherwise pile up here for as long as the pause lasts.
  if (held_++ == 0) stream_->Pause();
  strand_.Run([weak = weak_from_this(), callback = std::move(callback)]() mutable {
    const auto self = weak.lock();
    if (self == nullptr || self->cancelled_) return;
    --self->held_;
    self->Tell(std::move(callback));
    if (self->held_ == 0 && !self->owner_paused_ && !self->cancelled_) self->stream_->Resume();
  });
}

template <typename Callback>
void NodeConnection::Conversation::Tell(Callback callback) {
  ++running_;
  callback(handler_);
  if (--running_ == 0 && drop_) DropHandler();
}

void NodeConnection::Conversation::Cancel() {
  cancelled_ = true;
  const std::unique_ptr<userfunction::Stream> cancelled = std::move(stream_);
}

void NodeConnection::Conversation::Sever() {
  Cancel();
  drop_ = true;
  if (running_ == 0) DropHandler();
}

void NodeConnection::Conversation::OwnerPaused(bool paused) {
  owner_paused_ = paused;
  if (stream_ == nullptr) return;
  if (paused) {
    stream_->Pause();
  } else if (held_ == 0) {
    stream_->Resume();
  }
}

// The owner's end.
class NodeConnection::NodeStream final : public userfunction::Stream {
 public:
  NodeStream(std::shared_ptr<Life> life, std::uint64_t number, std::shared_ptr<Conversation> conversation)
      : life_(std::move(life)), number_(number), conversation_(std::move(conversation)) {}
  ~NodeStream() override {
    life_->streams.erase(number_);
    conversation_->Cancel();
  }

  void Write(std::string message) override {
    if (conversation_->stream() != nullptr) conversation_->stream()->Write(std::move(message));
  }
  void HalfClose() override {
    if (conversation_->stream() != nullptr) conversation_->stream()->HalfClose();
  }
  std::size_t Unsent() const override {
    return conversation_->stream() == nullptr ? 0 : conversation_->stream()->Unsent();
  }
  void Pause() override { conversation_->OwnerPaused(true); }
  void Resume() override { conversation_->OwnerPaused(false); }

 private:
  const std::shared_ptr<Life> life_;
  const std::uint64_t number_;
  const std::shared_ptr<Conversation> conversation_;
};

NodeConnection::NodeConnection(NodeStrand& strand, std::shared_ptr<userfunction::Connection> connection)
    : strand_(strand), connection_(std::move(connection)), life_(std::make_shared<Life>()) {}

NodeConnection::~NodeConnection() { Sever(); }

std::unique_ptr<userfunction::Stream> NodeConnection::Open(std::string_view method, absl::Duration timeout,
                                                           userfunction::StreamHandler handler) {
  auto conversation = std::make_shared<Conversation>(strand_, std::move(handler));
  const std::uint64_t number = ++life_->last;
  if (life_->severed) {
    conversation->Sever();
  } else {
    life_->streams.emplace(number, conversation);
    conversation->Open(*connection_, method, timeout);
  }
  return std::make_unique<NodeStream>(life_, number, std::move(conversation));
}

void NodeConnection::Call(std::string_view method, std::string request, absl::Duration timeout, Done done) {
  if (life_->severed) return;
  const std::uint64_t number = ++life_->last;
  life_->calls.emplace(number, std::move(done));
  connection_->Call(method, std::move(request), timeout,
                    [weak = std::weak_ptr(life_), &strand = strand_, number](absl::StatusOr<std::string> answer) {
                      const auto life = weak.lock();
                      if (life == nullptr) return;
                      if (!strand.holding()) return life->Answer(number, std::move(answer));
                      strand.Run([weak, number, answer = std::move(answer)]() mutable {
                        if (const auto held = weak.lock()) held->Answer(number, std::move(answer));
                      });
                    });
}

void NodeConnection::Sever() {
  // Dropping handlers may destroy streams, what held them, and this.
  const std::shared_ptr<Life> life = life_;
  life->severed = true;
  const auto streams = std::exchange(life->streams, {});
  const auto calls = std::exchange(life->calls, {});
  for (const auto& [number, weak] : streams) {
    if (const auto conversation = weak.lock()) conversation->Sever();
  }
}

}  // namespace cloudstate::cluster
