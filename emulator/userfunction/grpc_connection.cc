#include "emulator/userfunction/grpc_connection.h"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/base/real_strand.h"
#include "emulator/userfunction/client_socket.h"
#include "emulator/userfunction/grpc_call.h"
#include "emulator/userfunction/http2_session.h"

namespace cloudstate::userfunction {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(2);
constexpr absl::Duration kLastPause = absl::Seconds(1);
// What listens but does not speak HTTP/2 within this time is tried again.
constexpr absl::Duration kGreeting = absl::Seconds(2);
// Then the other sessions have their turn.
constexpr int kReadsAtATime = 16;

class TransportThread final : public GrpcTransport {
 public:
  TransportThread(std::string address, std::size_t max_message_bytes, base::Strand& strand, Handler handler)
      : address_(std::move(address)),
        max_message_bytes_(max_message_bytes),
        strand_(strand),
        handler_(std::make_shared<Handler>(std::move(handler))),
        thread_([this] { Run(); }) {}

  ~TransportThread() override {
    stop_.Set();
    thread_.join();
    base::RunOn(strand_, [this] { *handler_ = {}; });
    base::RunOn(strand_, [] {});  // what was posted when the calls ended has run
  }

 private:
  using Session = std::shared_ptr<Http2Session>;
  using Sessions = std::vector<Session>;

  void Run() {
    absl::Duration pause = kFirstPause;
    bool told = false;
    do {
      if (Session session = Connect({}); session != nullptr) {
        Serve(std::move(session));
        pause = kFirstPause;
        told = false;
      } else if (foreign_ && !std::exchange(told, true)) {
        strand_.Post([handler = handler_] {
          if (handler->foreign) handler->foreign();
        });
      }
      pause = std::min(pause * 1.25 + absl::Milliseconds(1), kLastPause);
    } while (!stop_.SetWithin(pause));
  }

  // A session whose peer has spoken HTTP/2; nullptr if there is none. Goes on with the `others` meanwhile.
  Session Connect(Sessions others) {
    foreign_ = false;
    const std::optional<int> socket = ConnectTo(address_, stop_);
    if (!socket.has_value()) return nullptr;
    auto session = std::make_shared<Http2Session>(*socket, [this] { wake_.Set(); });
    Deliver(session->Flush());
    others.push_back(session);
    const absl::Time deadline = absl::Now() + kGreeting;
    while (AllWork(others) && absl::Now() < deadline) {
      if (!Poll(others, deadline - absl::Now())) return nullptr;
      if (session->ready()) return session;
    }
    foreign_ = true;
    return nullptr;  // no call has been opened on it
  }

  static bool AllWork(const Sessions& sessions) {
    return std::ranges::all_of(sessions, [](const Session& each) { return each->broken().ok(); });
  }

  // Until the connection is lost.
  void Serve(Session first) {
    session_wanted_ = false;
    auto connection = std::make_shared<GrpcConnection>(address_, max_message_bytes_, strand_, [this] {
      session_wanted_ = true;
      wake_.Set();
    });
    strand_.Post([handler = handler_, connection, first]() mutable {
      connection->AddSession(std::move(first));
      if (handler->up) handler->up(std::move(connection));
    });
    Sessions sessions = {std::move(first)};
    absl::Time next_try = absl::InfinitePast();
    bool going_on = true;
    while (going_on && AllWork(sessions)) {
      if (session_wanted_ && absl::Now() >= next_try) {
        session_wanted_ = false;
        if (Session another = Connect(sessions); another != nullptr) {
          sessions.push_back(another);
          strand_.Post([connection, another] { connection->AddSession(another); });
        } else {
          session_wanted_ = true;
          next_try = absl::Now() + kLastPause;
        }
      }
      going_on = Poll(sessions, session_wanted_ ? kLastPause : absl::InfiniteDuration());
    }
    Lose(std::move(connection), sessions, going_on);
  }

  // The connection goes first, so that nobody who is told of a call's end tries another.
  void Lose(std::shared_ptr<GrpcConnection> connection, const Sessions& sessions, bool tell) {
    const absl::Status reason =
        tell ? absl::UnavailableError(absl::StrCat("the connection to ", address_, " was lost"))
             : absl::CancelledError(absl::StrCat("the connection to ", address_, " is no longer wanted"));
    Http2Session::News news;
    const auto untaken = tell ? Http2Session::Untaken::kKept : Http2Session::Untaken::kDropped;
    for (const Session& each : sessions) std::ranges::move(each->Close(reason, untaken), std::back_inserter(news));
    strand_.Post([handler = handler_, connection = std::move(connection), news = std::move(news), reason, tell] {
      connection->Lose(reason);
      if (tell && handler->down) handler->down(reason);
      for (const auto& call : news) call->TakeNews();
    });
  }

  // Waits until something happens, once, and deals with it; false when the transport is to stop.
  bool Poll(const Sessions& sessions, absl::Duration patience) {
    std::vector<pollfd>& waits = waits_;
    waits.assign({{stop_.descriptor(), POLLIN, 0}, {wake_.descriptor(), POLLIN, 0}});
    for (const Session& each : sessions) waits.push_back({each->socket(), each->Events(), 0});
    if (poll(waits.data(), waits.size(), base::PollTimeout(patience)) <= 0) return true;
    if (waits[0].revents != 0) return false;
    if (waits[1].revents != 0) wake_.Clear();
    for (std::size_t i = 0; i < sessions.size(); ++i) {
      const short events = waits[i + 2].revents;
      if ((events & POLLOUT) != 0) Deliver(sessions[i]->Writable());
      if ((events & ~POLLOUT) != 0) Read(*sessions[i]);
    }
    return true;
  }

  void Read(Http2Session& session) {
    Http2Session::News news;
    for (int i = 0; i < kReadsAtATime && session.Receive(news); ++i) {
      Deliver(std::exchange(news, {}));
      Deliver(session.Flush());
    }
  }

  // Most often the strand is idle, and this thread runs what it is given, up to the answer on the socket.
  void Deliver(Http2Session::News news) {
    if (news.empty()) return;
    strand_.Post([news = std::move(news)] {
      for (const auto& call : news) call->TakeNews();
    });
  }

  const std::string address_;
  const std::size_t max_message_bytes_;
  base::Strand& strand_;
  const std::shared_ptr<Handler> handler_;  // shared with tasks on the strand, which alone call it
  const base::WakeEvent stop_;
  const base::WakeEvent wake_;
  std::atomic<bool> session_wanted_ = false;
  // The thread's.
  std::vector<pollfd> waits_;
  bool foreign_ = false;  // what accepted the last connection has not greeted as HTTP/2 does
  std::thread thread_;    // after all that it uses
};

}  // namespace

std::unique_ptr<GrpcTransport> GrpcTransport::Start(std::string address, std::size_t max_message_bytes,
                                                    base::Strand& strand, Handler handler) {
  return std::make_unique<TransportThread>(std::move(address), max_message_bytes, strand, std::move(handler));
}

}  // namespace cloudstate::userfunction
