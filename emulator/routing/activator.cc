#include "emulator/routing/activator.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/routing/router.h"

namespace cloudstate::routing {
namespace {

std::string ForPeople(absl::Duration time) { return absl::FormatDuration(absl::Trunc(time, absl::Milliseconds(1))); }

}  // namespace

Activator::Activator(base::Strand& strand, Options options, trace::LoadMeter& held)
    : strand_(strand), options_(std::move(options)), held_(held) {}

Activator::~Activator() = default;

void Activator::Add(Router& router) { nodes_.push_back({.router = router}); }

void Activator::SetDispatch(bool in_path, int most_at_once) {
  in_path_ = in_path;
  most_at_once_ = most_at_once;
  for (Node& node : nodes_) TakeBack(node);
  Wake();
}

void Activator::Take(std::shared_ptr<ClientCall> call, serving::Call request) {
  call->MoveTo(nullptr);
  call->Begin(request);
  if (!ended_.ok()) return call->End(ended_);
  if (*call->abandoned()) return call->End(absl::CancelledError("the client has gone"));
  Node* const node = waiting_.empty() ? Choose() : nullptr;
  if (node == nullptr) {
    Hold(nullptr, std::move(call), std::move(request));
  } else if (node->waiting.empty() && FreePlaces(*node) > 0) {
    node->router.Take(call, std::move(request));
  } else {
    Hold(node, std::move(call), std::move(request));
  }
}

// Those that are available come in turn; where the activator is in the path, the one that has the most places free, if
// any has, which without a limit is the one that has the fewest calls.
Activator::Node* Activator::Choose() {
  Node* best = nullptr;
  std::int64_t most = 0;
  const std::size_t first = turn_;
  for (std::size_t i = first; i < first + nodes_.size(); ++i) {
    Node& node = nodes_[i % nodes_.size()];
    if (!node.router.Availability().ok()) continue;
    const std::int64_t places = in_path_ ? FreePlaces(node) : 1;
    if (places <= most) continue;
    best = &node;
    most = places;
    turn_ = (i + 1) % nodes_.size();
  }
  return best;
}

std::int64_t Activator::FreePlaces(const Node& node) const {
  const std::int64_t places = most_at_once_ == 0 ? std::numeric_limits<std::int64_t>::max() : most_at_once_;
  return places - node.router.load();
}

// ---- holding

void Activator::Hold(Node* node, std::shared_ptr<ClientCall> call, serving::Call request) {
  if (held_.open() >= static_cast<std::int64_t>(options_.most)) {
    return call->End(absl::ResourceExhaustedError(
        absl::StrCat("the activator holds ", held_.open(),
                     " calls already, and --activator-queue lets it hold no more; try again later")));
  }
  const std::size_t bytes = request.payload.size();
  if (held_.open() > 0 && bytes_ + bytes > options_.most_bytes) {
    return call->End(absl::ResourceExhaustedError(
        absl::StrCat("the activator holds calls of ", bytes_, " bytes already, and this one of ", bytes,
                     " would make more than the ", options_.most_bytes, " that it holds; try again later")));
  }
  bytes_ += bytes;
  const absl::Duration time = TimeFor(*call, request);
  Queue& queue = QueueOf(node);
  const auto next = PlaceOf(*call, queue);
  const auto held =
      queue.insert(next, {.call = std::move(call), .request = std::move(request), .since = strand_.Now()});
  if (node != nullptr) WaitAt(*node, *held);
  held->timer = strand_.After(time, [this, held] { Expire(held); });
  held->call->WhenLeft([this, held] { Release(held).call->End(absl::CancelledError("the client has gone")); });
  held_.Begin(held->since);
  if (options_.changed) options_.changed(held_.open());
}

// One that comes back from a node may have come before others that wait.
Activator::Queue::iterator Activator::PlaceOf(const ClientCall& call, Queue& queue) {
  auto next = queue.end();
  while (next != queue.begin() && std::prev(next)->call->trace()->begin > call.trace()->begin) --next;
  return next;
}

void Activator::WaitAt(Node& node, Held& held) {
  held.node = &node;
  node.waits.Begin(strand_.Now());
}

void Activator::WaitNoMore(Held& held) {
  if (held.node != nullptr) std::exchange(held.node, nullptr)->waits.End(strand_.Now(), absl::ZeroDuration());
}

absl::Duration Activator::TimeFor(const ClientCall& call, const serving::Call& request) const {
  const absl::Duration longest = call.trace()->begin + options_.longest - strand_.Now();
  return request.deadline.has_value() ? std::min(longest, *request.deadline + strand_.Ahead() - strand_.WallTime())
                                      : longest;
}

Activator::Held Activator::Release(Queue::iterator held) {
  Queue& queue = QueueOf(held->node);
  WaitNoMore(*held);
  Held released = std::move(*held);
  queue.erase(held);
  strand_.Cancel(released.timer);
  bytes_ -= released.request.payload.size();
  released.call->WhenLeft(nullptr);
  const absl::Duration time = strand_.Now() - released.since;
  released.call->Trace(trace::StepKind::kQueued, trace::kClientsCommand, absl::StrCat(kHeldStep, ForPeople(time)));
  held_.End(strand_.Now(), time);
  released.call->AddHeld(time);
  if (options_.changed) options_.changed(held_.open());
  return released;
}

void Activator::Expire(Queue::iterator held) {
  const Held expired = Release(held);
  expired.call->End(absl::DeadlineExceededError(
      absl::StrCat(expired.request.service, ".", expired.request.method, " was held by the activator for ",
                   ForPeople(strand_.Now() - expired.since), ": ", WhyNoneCan())));
}

std::string Activator::WhyNoneCan() const {
  const auto available = std::ranges::any_of(nodes_, [](const Node& node) { return node.router.Availability().ok(); });
  if (available) {
    return absl::StrCat("each node that is ready has as many calls as it takes at once, which is ", most_at_once_);
  }
  if (nodes_.empty()) return "there is no node";
  return absl::StrCat("no node is ready; ", nodes_.front().router.Availability().message());
}

// ---- releasing

// In a task of its own: a call may end, or a node change, in the midst of something, and among those that are released
// some may end at once.
void Activator::Wake() {
  if (!ended_.ok() || held_.open() == 0 || std::exchange(waking_, true)) return;
  strand_.Post([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->Rearrange();
  });
}

void Activator::Rearrange() {
  waking_ = false;
  if (!ended_.ok()) return;
  for (Node& node : nodes_) {
    if (!node.router.Availability().ok()) TakeBack(node);
  }
  while (!waiting_.empty()) {
    Node* const node = Choose();
    if (node == nullptr) break;
    WaitAt(*node, waiting_.front());
    node->waiting.splice(PlaceOf(*waiting_.front().call, node->waiting), waiting_, waiting_.begin());
    Feed(*node);
  }
  for (Node& node : nodes_) Feed(node);
}

// What waits for the node's places waits for any node, in the order in which it came.
void Activator::TakeBack(Node& node) {
  for (Held& held : node.waiting) WaitNoMore(held);
  waiting_.merge(node.waiting,
                 [](const Held& a, const Held& b) { return a.call->trace()->begin < b.call->trace()->begin; });
}

void Activator::Feed(Node& node) {
  while (!node.waiting.empty() && FreePlaces(node) > 0) {
    Held held = Release(node.waiting.begin());
    node.router.Take(held.call, std::move(held.request));
  }
}

void Activator::End(absl::Status reason) {
  ended_ = std::move(reason);
  options_.changed = nullptr;
  for (Node& node : nodes_) TakeBack(node);
  while (!waiting_.empty()) Release(waiting_.begin()).call->End(ended_);
}

}  // namespace cloudstate::routing
