#include "emulator/runtime/emulator.h"

#include <unistd.h>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/admin/admin_backend.h"
#include "emulator/admin/dashboard.h"
#include "emulator/admin/guard.h"
#include "emulator/base/real_strand.h"
#include "emulator/journal/sqlite_browser.h"
#include "emulator/runtime/cluster_metrics.h"
#include "emulator/runtime/fault_book.h"
#include "emulator/runtime/faulty_journal.h"
#include "emulator/runtime/live_state.h"
#include "emulator/runtime/log_book.h"
#include "emulator/runtime/node_ports.h"
#include "emulator/runtime/noting_observer.h"
#include "emulator/runtime/sampler.h"
#include "emulator/runtime/scaled_user_functions.h"
#include "emulator/runtime/shared_user_function.h"
#include "emulator/runtime/test_control.h"
#include "emulator/serving/front_door.h"
#include "emulator/userfunction/reserved_port.h"
#include "emulator/userfunction/utf8.h"

namespace cloudstate::runtime {
namespace {

absl::Status WithFlag(const absl::Status& status, absl::string_view flag) {
  if (status.code() != absl::StatusCode::kAlreadyExists) return status;
  return absl::AlreadyExistsError(
      absl::StrCat(status.message(), "; choose another with ", flag, " (0 takes any free one)"));
}

std::string_view Name(journal::Durability durability) {
  switch (durability) {
    case journal::Durability::kFull:
      return "full";
    case journal::Durability::kRelaxed:
      return "relaxed";
    case journal::Durability::kEphemeral:
      return "ephemeral";
  }
  return "";
}

cluster::Node::Options NodeOptions(const Settings& settings) {
  cluster::Node::Options options;
  options.entities.limits = settings.limits;
  options.entities.max_active_entities = settings.max_active_entities;
  options.membership = settings.membership;
  options.rebalance_interval = settings.rebalance_interval;
  return options;
}

class RealEmulator final : public Emulator {
 public:
  RealEmulator(Settings settings, Observer& observer) : settings_(std::move(settings)), observer_(observer, log_) {}

  ~RealEmulator() override {
    // From the outside in: no new calls, then no user function, then no entities, then no journal.
    const absl::Time end = absl::Now() + settings_.termination_grace;
    base::RunOn(strand_, [this] {
      if (cluster_ != nullptr) cluster_->EndOpenCrdtCalls();
      if (live_ != nullptr) live_->EndReplays();
      if (user_functions_ != nullptr) user_functions_->EndScaling();
      if (gateway_ != nullptr) gateway_->EndHeldCalls(absl::UnavailableError("the emulator is ending"));
    });
    if (client_door_ != nullptr) client_door_->Shutdown(settings_.termination_grace);
    node_ports_.Shutdown(std::max(absl::ZeroDuration(), end - absl::Now()));
    // Those who watch are not waited for, but replays that have just been ended are still being told so.
    const bool telling = admin_ != nullptr && admin_->has_replays();
    if (admin_door_ != nullptr) admin_door_->Shutdown(telling ? absl::Seconds(1) : absl::ZeroDuration());
    metrics_door_ = nullptr;
    admin_door_ = nullptr;
    base::RunOn(strand_, [] {});  // what the admin services asked has been answered
    admin_ = nullptr;
    base::RunOn(strand_, [this] {
      control_ = nullptr;
      live_ = nullptr;
    });  // after what the readers' threads asked last
    if (cluster_ != nullptr) {
      base::RunOn(strand_, [this] { cluster_->Disconnect(absl::UnavailableError("the emulator is ending")); });
    }
    if (user_functions_ != nullptr) user_functions_->Stop();
    base::RunOn(strand_, [this] {
      if (cluster_ != nullptr) cluster_->SaveReplicas();
    });
    if (journal_ != nullptr) journal_->Close();  // what was being stored is answered, and may report errors
    base::RunOn(strand_, [this] {
      if (cluster_ != nullptr) cluster_->Stop();
    });
    base::RunOn(strand_, [this] {
      sampler_ = nullptr;
      gateway_ = nullptr;
      cluster_ = nullptr;
    });
    client_door_ = nullptr;
  }

  absl::Status Start() {
    if (absl::Status status = OpenJournal(); !status.ok()) return status;
    if (absl::Status status = AssembleCore(); !status.ok()) return status;
    if (absl::Status status = OpenClientDoor(); !status.ok()) return status;
    if (absl::Status status = OpenMetricsDoor(); !status.ok()) return status;
    if (absl::Status status = OpenAdminDoor(); !status.ok()) return status;
    if (absl::Status status = journal_->SetLockAddresses({client_address_, admin_address_}); !status.ok())
      return status;
    observer_.OnListening(*this);
    return user_functions_->Start();
  }

  const std::string& client_address() const override { return client_address_; }
  const std::string& admin_address() const override { return admin_address_; }
  const std::string& metrics_address() const override { return metrics_address_; }
  const std::string& user_function_address() const override { return user_function_address_; }

 private:
  absl::Status OpenJournal() {
    journal::SqliteJournal::Options options;
    options.directory = settings_.data_directory;
    options.durability = settings_.durability;
    auto journal = journal::SqliteJournal::Open(options);
    if (!journal.ok()) return journal.status();
    journal_ = *std::move(journal);
    observed_ = std::make_unique<ObservedJournal>(*journal_);
    faulty_ = std::make_unique<FaultyJournal>(*observed_, faults_);
    return absl::OkStatus();
  }

  absl::Status ChooseUserFunctionAddress() {
    if (settings_.scaling.mode != scaling::Mode::kOff && !settings_.command.empty()) {
      user_function_address_ = absl::StrCat(settings_.user_function_host, ", each replica on a free port of its own");
      return absl::OkStatus();
    }
    if (settings_.user_function_port == 0) {
      auto port = userfunction::ReservedPort::Take();
      if (!port.ok()) return port.status();
      settings_.user_function_port = port->number();
      reserved_port_ = std::make_shared<userfunction::ReservedPort>(*std::move(port));
    }
    user_function_address_ = Address(settings_.user_function_host, settings_.user_function_port);
    return absl::OkStatus();
  }

  absl::Status AssembleCore() {
    if (absl::Status status = ChooseUserFunctionAddress(); !status.ok()) return status;
    const auto report = [this](const std::string& text) { user_functions_->ReportError(text); };
    cluster_ = std::make_unique<cluster::Cluster>(NodeOptions(settings_), strand_, random_, *faulty_, report,
                                                  IsEphemeral() ? nullptr : journal_.get());
    routing::Router::Options routing;
    routing.relay_timeout = settings_.limits.relay_timeout;
    routing.entity_metadata = settings_.entity_metadata;
    gateway_ = std::make_unique<routing::Gateway>(
        routing, *cluster_, recorder_, report,
        [this](cluster::Node& node, routing::Router& router) { node_ports_.Add(node.id(), router); });
    user_functions_ = MakeUserFunctions();
    base::RunOn(strand_, [this] {
      user_functions_->MakeNodes();
      // Somewhat less than the grace, whose end is one of the timers that run meanwhile.
      strand_.HoldJumpsWhile([this] { return faults_.closing() > 0; }, settings_.limits.close_grace * 0.9);
      sampler_ =
          std::make_unique<Sampler>(strand_, recorder_, Sampler::Sources{.nodes = [this] { return SampledNodes(); }});
    });
    return settings_.node_port == 0 ? absl::OkStatus() : WithFlag(node_ports_.Check(), "--node-port");
  }

  std::unique_ptr<UserFunctions> MakeUserFunctions() {
    const UserFunctionPlace place{user_function_address_, std::move(reserved_port_)};
    if (settings_.scaling.mode == scaling::Mode::kOff) {
      return std::make_unique<SharedUserFunction>(settings_, place, strand_, *cluster_, *gateway_, *journal_, faults_,
                                                  observer_);
    }
    return std::make_unique<ScaledUserFunctions>(settings_, place, strand_, *cluster_, *gateway_, *journal_, faults_,
                                                 observer_);
  }

  absl::Status OpenClientDoor() {
    auto door = serving::FrontDoor::Start(ClientDoorOptions(settings_, settings_.port, *gateway_));
    if (!door.ok()) return WithFlag(door.status(), "--port");
    client_door_ = *std::move(door);
    client_address_ = Address(settings_.listen, client_door_->port());
    return absl::OkStatus();
  }

  absl::Status OpenMetricsDoor() {
    serving::FrontDoor::Options options;
    options.host = settings_.metrics_listen;
    options.port = settings_.metrics_port;
    options.handlers["/metrics"] = [this](const serving::HttpRequest&) {
      std::vector<trace::NodeMetrics> nodes;
      std::string cluster;
      base::RunOn(strand_, [&] {
        cluster = ClusterMetricsText(*cluster_);
        if (const scaling::Scaler* scaler = user_functions_->scaler())
          cluster += ScalingMetricsText(scaler->Describe());
        for (const auto& [id, node] : cluster_->nodes()) nodes.push_back({node->name(), node->metrics()});
      });
      serving::HttpResponse response;
      response.content_type = "text/plain; version=0.0.4; charset=utf-8";
      response.body = trace::PrometheusText(nodes) + cluster + trace::ProcessMetricsText();
      return response;
    };
    auto door = serving::FrontDoor::Start(std::move(options));
    if (!door.ok()) return WithFlag(door.status(), "--metrics-port");
    metrics_door_ = *std::move(door);
    metrics_address_ = Address(settings_.metrics_listen, metrics_door_->port());
    return absl::OkStatus();
  }

  absl::Status OpenAdminDoor() {
    live_ = std::make_unique<LiveState>(strand_, *cluster_, *gateway_, recorder_, *user_functions_, *observed_,
                                        *sampler_, log_, settings_.limits.passivation_timeout,
                                        [this](cluster::NodeId node) { return node_ports_.AddressOf(node); });
    admin::AdminBackend::Options admin;
    admin.descriptor_sets = settings_.descriptor_sets;
    admin.open_journal = [file = journal_->file()]() -> absl::StatusOr<std::unique_ptr<journal::Browser>> {
      return journal::SqliteBrowser::Open(file);
    };
    const std::string token = admin::NewToken();
    admin.access = {.token = token, .read_only = settings_.read_only};
    // The limit is there because the user function takes few streams; one beyond it is what a replay may have.
    if (settings_.max_active_entities > 0) admin.max_replays = 1;
    control_ = MakeTestControl(admin.open_journal);
    admin_ = std::make_unique<admin::AdminBackend>(*live_, *control_, std::move(admin));
    serving::FrontDoor::Options options;
    options.host = settings_.admin_listen;
    options.port = settings_.admin_port;
    options.backend = admin_.get();
    options.handlers = admin::DashboardHandlers(token);
    options.policy = [listen = Address(settings_.admin_listen, settings_.admin_port)](
                         std::string_view host, std::string_view origin,
                         std::string_view) -> std::optional<serving::HttpError> {
      const auto checked = admin::CheckHostAndOrigin(
          host, origin.empty() ? std::nullopt : std::optional<std::string_view>(origin), listen);
      if (checked.ok()) return std::nullopt;
      return serving::HttpError{403, std::string(checked.message()), ""};
    };
    auto door = serving::FrontDoor::Start(std::move(options));
    if (!door.ok()) return WithFlag(door.status(), "--admin-port");
    admin_door_ = *std::move(door);
    admin_address_ = Address(settings_.admin_listen, admin_door_->port());
    base::RunOn(strand_, [this] { live_->SetFixed(FixedStatus(), settings_.told); });
    return absl::OkStatus();
  }

  std::unique_ptr<TestControl> MakeTestControl(EntityRows::OpenJournal open_journal) {
    return std::make_unique<TestControl>(
        TestControl::Parts{
            .strand = strand_,
            .cluster = *cluster_,
            .journal = *observed_,
            .copies = *journal_,
            .recorder = recorder_,
            .user_functions = *user_functions_,
            .faults = faults_,
            .advance = [this](absl::Duration by, base::Task done) { strand_.Advance(by, std::move(done)); }},
        TestControl::Options{.nodes = settings_.nodes,
                             .may_reset = settings_.allow_reset || IsEphemeral(),
                             .open_journal = std::move(open_journal)});
  }

  std::vector<SampledNode> SampledNodes() const {
    std::vector<SampledNode> nodes;
    for (const auto& [id, node] : cluster_->nodes()) {
      SampledNode& sampled = nodes.emplace_back();
      sampled.figures.set_node(static_cast<std::int32_t>(id));
      sampled.figures.set_active_entities(static_cast<std::int64_t>(node->active_entities()));
      sampled.figures.set_waiting_commands(static_cast<std::int64_t>(node->waiting_commands()));
      sampled.figures.set_open_calls(static_cast<std::int64_t>(node->open_calls()));
      sampled.metrics = &node->metrics();
      sampled.load = &node->load();
    }
    return nodes;
  }

  bool IsEphemeral() const { return settings_.durability == journal::Durability::kEphemeral; }

  dev::v1::Status FixedStatus() const {
    dev::v1::Status status;
    status.set_version(settings_.version);
    status.set_commit(settings_.commit);
    status.set_pid(getpid());
    status.mutable_started()->set_seconds(absl::ToUnixSeconds(absl::Now()));
    status.set_client_address(client_address_);
    status.set_admin_address(admin_address_);
    status.set_metrics_address(metrics_address_);
    if (!IsEphemeral()) status.set_data_directory(userfunction::ToUtf8(settings_.data_directory));
    status.set_durability(std::string(Name(settings_.durability)));
    status.set_read_only(settings_.read_only);
    return status;
  }

  Settings settings_;
  FaultBook faults_;
  base::TimerThread timers_;
  base::RealStrand strand_{timers_};
  LogBook log_{[this] { return strand_.WallTime(); }};
  NotingObserver observer_;
  const base::LogListening log_listening_{
      [this](base::LogLevel level, const std::string& text) { log_.Add(LogBook::Source::kEmulator, level, text); }};
  std::string client_address_;
  std::string admin_address_;
  std::string metrics_address_;
  std::string user_function_address_;
  std::shared_ptr<userfunction::ReservedPort> reserved_port_;  // until the user function's link has it

  std::unique_ptr<journal::SqliteJournal> journal_;
  std::unique_ptr<ObservedJournal> observed_;
  std::unique_ptr<FaultyJournal> faulty_;
  trace::Recorder recorder_{settings_.kept_traces};
  base::Random random_{std::random_device()()};
  std::unique_ptr<cluster::Cluster> cluster_;
  NodePorts node_ports_{settings_};
  std::unique_ptr<routing::Gateway> gateway_;
  std::unique_ptr<UserFunctions> user_functions_;
  std::unique_ptr<Sampler> sampler_;
  std::unique_ptr<LiveState> live_;
  std::unique_ptr<TestControl> control_;
  std::unique_ptr<admin::AdminBackend> admin_;
  std::unique_ptr<serving::FrontDoor> client_door_;
  std::unique_ptr<serving::FrontDoor> admin_door_;
  std::unique_ptr<serving::FrontDoor> metrics_door_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Emulator>> Emulator::Start(Settings settings, Observer& observer) {
  auto emulator = std::make_unique<RealEmulator>(std::move(settings), observer);
  if (absl::Status status = emulator->Start(); !status.ok()) return status;
  return emulator;
}

}  // namespace cloudstate::runtime
