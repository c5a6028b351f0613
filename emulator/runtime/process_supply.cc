#include "emulator/runtime/process_supply.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/real_strand.h"
#include "emulator/runtime/node_ports.h"
#include "emulator/userfunction/directory_watch.h"
#include "emulator/userfunction/process.h"
#include "emulator/userfunction/reserved_port.h"

namespace cloudstate::runtime {
namespace {

constexpr absl::Duration kTryAgain = absl::Seconds(1);

UserFunctionPlace Place(const Settings& settings, FreePorts::Port port) {
  std::string address = Address(settings.user_function_host, port->number());
  return {std::move(address), std::move(port)};
}

std::string Label(cluster::NodeId node) { return absl::StrCat("[", ToString(node), "] "); }

// So that they can stand for each other.
bool DeclareTheSame(const userfunction::Specification& one, const userfunction::Specification& other) {
  return one.dialect == other.dialect && one.descriptors == other.descriptors &&
         one.info.SerializeAsString() == other.info.SerializeAsString() &&
         one.services.size() == other.services.size() && std::ranges::all_of(one.services, [&other](const auto& entry) {
           const userfunction::ServiceSpec& service = entry.second;
           const auto found = other.services.find(service.name);
           return found != other.services.end() && found->second.entity_type == service.entity_type &&
                  found->second.persistence_id == service.persistence_id &&
                  found->second.passivation_timeout == service.passivation_timeout;
         });
}

}  // namespace

// One process. What is told of it is told with its node.
class ProcessSupply::Replica final : private Observer {
 public:
  Replica(ProcessSupply& owner, cluster::NodeId node, FreePorts::Port port)
      : owner_(owner),
        label_(Label(node)),
        link_(owner.settings_, Place(owner.settings_, std::move(port)), owner.strand_, owner.journal_, owner.faults_,
              static_cast<Observer&>(*this),
              {.ready =
                   [this](std::shared_ptr<userfunction::Connection> connection,
                          std::shared_ptr<const userfunction::Specification> specification,
                          entities::ReplayFrom replay_from) {
                     const bool is_news = owner_.Learn(std::move(specification));
                     listener_.ready(std::move(connection), owner_.specification_, replay_from);
                     if (std::exchange(lost_, false) || is_news) owner_.observer_.OnReady(*owner_.specification_);
                   },
               .lost = [this](const absl::Status& reason) { listener_.lost(reason); }}) {}

  // Before anything happens.
  absl::Status Start(Listener& listener) {
    absl::Status status = link_.Start();
    if (status.ok()) listener_ = std::move(listener);
    return status;
  }

  UserFunctionLink& link() { return link_; }

 private:
  // The first of its kind is told by whoever knows the others.
  void OnListening(const Emulator&) override {}
  void OnReady(const userfunction::Specification&) override {}
  void OnLost(const std::string& reason) override {
    lost_ = true;
    owner_.observer_.OnLost(absl::StrCat(label_, reason));
  }
  void OnRejected(const std::string& problem) override { owner_.observer_.OnRejected(absl::StrCat(label_, problem)); }
  void OnTrouble(const std::string& trouble) override { owner_.observer_.OnTrouble(absl::StrCat(label_, trouble)); }
  // Of whichever replica: it is the first that is told.
  void OnComplaint(const std::string& complaint) override { owner_.observer_.OnComplaint(complaint); }
  void OnStarted(const std::string&, int pid, int restarts) override {
    owner_.observer_.OnStarted(label_, pid, restarts);
  }
  void OnEnded(const std::string&, const std::string& how, absl::Duration again_in) override {
    owner_.observer_.OnEnded(label_, how, again_in);
  }
  void OnChanged(const std::string& path) override { owner_.observer_.OnChanged(absl::StrCat(label_, path)); }
  void OnOutput(std::string_view line) override { owner_.observer_.OnOutput(label_ + std::string(line)); }
  void OnScaling(const dev::v1::ScalingEvent&) override {}

  ProcessSupply& owner_;
  const std::string label_;
  Listener listener_;
  bool lost_ = false;  // and this has been told; on the strand
  UserFunctionLink link_;
};

ProcessSupply::ProcessSupply(const Settings& settings, base::Strand& strand, journal::SqliteJournal& journal,
                             FaultBook& faults, Observer& observer)
    : settings_(settings),
      strand_(strand),
      journal_(journal),
      faults_(faults),
      observer_(observer),
      ports_(userfunction::ReservedPort::Take),
      retired_({}),
      burying_([this] { Bury(); }) {
  last_.set_state(dev::v1::UserFunction::WAITING);
}

ProcessSupply::~ProcessSupply() { EndAll(); }

absl::Status ProcessSupply::Open() {
  if (auto program = userfunction::FindProgram(settings_.command.front()); !program.ok()) return program.status();
  if (!settings_.watch_directory.empty()) {
    auto watch = userfunction::DirectoryWatch::Create(settings_.watch_directory);
    if (!watch.ok()) return watch.status();
  }
  base::RunOn(strand_, [this] {
    open_ = true;
    for (auto& [node, listener] : std::exchange(early_, {})) Begin(node, std::move(listener));
  });
  return absl::OkStatus();
}

// ---- on the strand

void ProcessSupply::Start(cluster::NodeId node, Listener listener) {
  if (open_) {
    Begin(node, std::move(listener));
  } else {
    early_[node] = std::move(listener);
  }
}

void ProcessSupply::Begin(cluster::NodeId node, Listener listener) {
  const absl::Status status = TryToBegin(node, listener);
  if (status.ok()) return;
  observer_.OnTrouble(absl::StrCat(Label(node), "cannot be started: ", status.message(), "; again in ",
                                   absl::FormatDuration(kTryAgain)));
  waiting_[node] = strand_.After(kTryAgain, lifetime_.Guard([this, node, listener = std::move(listener)]() mutable {
    waiting_.erase(node);
    Begin(node, std::move(listener));
  }));
}

absl::Status ProcessSupply::TryToBegin(cluster::NodeId node, Listener& listener) {
  auto port = ports_.Take();
  if (!port.ok()) return port.status();
  auto replica = std::make_unique<Replica>(*this, node, *std::move(port));
  absl::Status status = replica->Start(listener);
  if (status.ok()) {
    replicas_[node] = std::move(replica);
  } else {
    Retire(std::move(replica));
  }
  return status;
}

void ProcessSupply::Stop(cluster::NodeId node) {
  early_.erase(node);
  if (auto waiting = waiting_.extract(node); !waiting.empty()) strand_.Cancel(waiting.mapped());
  auto stopped = replicas_.extract(node);
  if (stopped.empty()) return;
  UserFunctionLink& link = stopped.mapped()->link();
  if (link.is_ready()) {
    last_ = link.Describe();
    last_.set_state(dev::v1::UserFunction::IDLE);
    last_.set_pid(0);
    last_.clear_address();
  }
  last_.mutable_since()->set_seconds(absl::ToUnixSeconds(strand_.WallTime()));
  Retire(std::move(stopped.mapped()));
}

void ProcessSupply::Retire(std::unique_ptr<Replica> replica) {
  replica->link().Retire();
  // Nothing is started, and so retired, once all have been ended: then it would be refused.
  retired_.Push(replica, 0);
}

scaling::Supply::Process ProcessSupply::Describe(cluster::NodeId node) const {
  const auto found = replicas_.find(node);
  if (found == replicas_.end()) return {};
  return {.pid = found->second->link().pid(), .address = found->second->link().address()};
}

bool ProcessSupply::Learn(std::shared_ptr<const userfunction::Specification> specification) {
  if (specification_ != nullptr && DeclareTheSame(*specification_, *specification)) return false;
  specification_ = std::move(specification);
  return true;
}

ProcessSupply::Replica* ProcessSupply::First() const {
  const auto ready = std::ranges::find_if(replicas_, [](const auto& each) { return each.second->link().is_ready(); });
  if (ready != replicas_.end()) return ready->second.get();
  return replicas_.empty() ? nullptr : replicas_.begin()->second.get();
}

void ProcessSupply::ReportError(const std::string& text) {
  if (Replica* first = First()) {
    first->link().ReportError(text);
  } else {
    observer_.OnComplaint(text);
  }
}

dev::v1::UserFunction ProcessSupply::DescribeAny() const {
  Replica* first = First();
  return first == nullptr ? last_ : first->link().Describe();
}

// ---- ending

void ProcessSupply::EndAll() {
  if (!burying_.joinable()) return;
  base::RunOn(strand_, [this] {
    lifetime_.Renew();
    for (auto& [node, replica] : std::exchange(replicas_, {})) Retire(std::move(replica));
  });
  retired_.Close();
  burying_.join();
}

// One after the other: they have all begun to end.
void ProcessSupply::Bury() {
  while (true) {
    auto taken = retired_.Take({.items = 1});
    if (taken.items.empty()) return;
    taken.items.clear();
    retired_.Release(1, 0);
  }
}

}  // namespace cloudstate::runtime
