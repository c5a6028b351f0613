#include "cmd/cloudstate-dev/run.h"

#include <signal.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/notification.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/console.h"
#include "cmd/cloudstate-dev/interruption.h"
#include "cmd/cloudstate-dev/own_emulator.h"
#include "cmd/cloudstate-dev/scaling_flags.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "cmd/cloudstate-dev/told_settings.h"
#include "cmd/cloudstate-dev/version.h"
#include "cmd/cloudstate-dev/web_browser.h"
#include "emulator/admin/payload_decoder.h"
#include "emulator/base/log.h"
#include "emulator/cluster/cluster.h"
#include "emulator/runtime/emulator.h"
#include "emulator/runtime/node_ports.h"
#include "emulator/serving/cors.h"
#include "samples/cpp/samples.h"

namespace cloudstate::cli {
namespace {

constexpr char kRunExamples[] =
    "  cloudstate-dev run                                     the built-in shopping cart\n"
    "  cloudstate-dev run -- node index.js                    starts your user function with HOST and PORT set\n"
    "  cloudstate-dev run --watch src -- mvn -q exec:java     and again when something in src changes\n"
    "  cloudstate-dev run --user-function 127.0.0.1:8080      uses one that you started yourself\n"
    "  cloudstate-dev run --open                              and shows the dashboard in your browser\n"
    "  cloudstate-dev run --nodes 3                           a cluster; cloudstate-dev nodes ls, network cut 1 2 …\n"
    "  cloudstate-dev run --scaling knative -- ./server       as many of it as calls need, or none at all\n"
    "  cloudstate-dev run --scaling manual --nodes 2          as many as you say: cloudstate-dev scale set 3\n"
    "  cloudstate-dev run --ephemeral --port 0 -- ./server    nothing kept, any free port: for tests";

struct RunOptions {
  runtime::Settings settings;
  std::string user_function;  // HOST:PORT
  std::string sample;
  std::string durability = "full";
  std::string protocol = "auto";
  std::string scaling = "off";
  std::vector<std::string> idle_flags;  // of scaling, where that is off
  bool ephemeral = false;
  bool open = false;
  bool pass_metadata = false;
  bool no_version_check = false;
  int verbosity = 0;
};

void AddAllowedOrigins(CLI::App& command, std::vector<std::string>& origins) {
  command.add_option("--allow-origin", origins, "Web pages that may call, besides those on this machine; * for all")
      ->envname("CLOUDSTATE_DEV_ALLOW_ORIGIN")
      ->type_name("ORIGIN")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check([](const std::string& origin) {
        return serving::IsOrigin(origin) ? "" : "'" + origin + "' is no origin such as https://app.example";
      });
}

void AddAddresses(CLI::App& command, RunOptions& options) {
  runtime::Settings& settings = options.settings;
  Setting(command, "--port", "HTTP_PORT", settings.port, "Where clients call; 0 for any free port");
  Setting(command, "--listen", "CLOUDSTATE_DEV_LISTEN", settings.listen,
          "Address that clients may reach; 0.0.0.0 for all of this machine's");
  AddAllowedOrigins(command, settings.allowed_origins);
  Setting(command, "--admin-port", "CLOUDSTATE_DEV_ADMIN_PORT", settings.admin_port,
          "Where the dashboard is, and where tools look in");
  Setting(command, "--admin-listen", "CLOUDSTATE_DEV_ADMIN_LISTEN", settings.admin_listen, "Address of the admin port");
  command.add_flag("--allow-reset", settings.allow_reset,
                   "Let tests take away what is stored, through the admin port; --ephemeral does");
  command.add_flag("--read-only", settings.read_only, "Let nobody change or call anything through the admin port");
  command.add_flag("--open", options.open, "Show the dashboard in your web browser");
  Setting(command, "--metrics-port", "METRICS_PORT", settings.metrics_port, "Where Prometheus looks");
  Setting(command, "--metrics-listen", "METRICS_HOST", settings.metrics_listen, "Address of the metrics port");
}

void AddUserFunction(CLI::App& command, RunOptions& options) {
  runtime::Settings& settings = options.settings;
  command.add_option("--user-function", options.user_function, "A user function that is started elsewhere")
      ->type_name("HOST:PORT");
  Setting(command, "--user-function-host", "USER_FUNCTION_HOST", settings.user_function_host, "Its host alone");
  Setting(command, "--user-function-port", "USER_FUNCTION_PORT", settings.user_function_port,
          "Its port alone; for a COMMAND 0 is any free port");
  command.add_option("--sample", options.sample, "A user function that comes with this program")
      ->check(CLI::IsMember(samples::SampleNames()));
  command.add_option("--watch", settings.watch_directory, "Restart COMMAND when a file below changes")
      ->type_name("DIR");
  Setting(command, "--protocol", "CLOUDSTATE_DEV_PROTOCOL", options.protocol, "The dialect it speaks")
      ->check(CLI::IsMember({"auto", "0.1", "0.2"}));
  command.add_flag("--no-version-check", options.no_version_check, "Serve whatever protocol version it reports");
  command.add_option("COMMAND", settings.command, "Starts the user function; after --");
}

void AddCluster(CLI::App& command, RunOptions& options) {
  runtime::Settings& settings = options.settings;
  cluster::Membership::Options& membership = settings.membership;
  Setting(command, "--nodes", "CLOUDSTATE_DEV_NODES", settings.nodes, "Nodes of the cluster that is played, 1 to 100")
      ->check(CLI::Range(std::size_t{1}, cluster::Cluster::kMostNodes));
  Setting(command, "--node-port", "CLOUDSTATE_DEV_NODE_PORT", settings.node_port,
          "The first of several nodes' own port, the others' follow; 0 for any free ports");
  DurationSetting(command, "--heartbeat-interval", "CLOUDSTATE_DEV_HEARTBEAT_INTERVAL", membership.heartbeat_interval,
                  "How often nodes tell each other that they live");
  Setting(command, "--phi-threshold", "CLOUDSTATE_DEV_PHI_THRESHOLD", membership.detector.threshold,
          "How suspicious a silence may be");
  DurationSetting(command, "--acceptable-pause", "CLOUDSTATE_DEV_ACCEPTABLE_PAUSE",
                  membership.detector.acceptable_pause, "A silence that is always forgiven");
  DurationSetting(command, "--stable-after", "CLOUDSTATE_DEV_STABLE_AFTER", membership.stable_after,
                  "How long unreachable nodes have to come back before a majority goes on without them");
  DurationSetting(command, "--rebalance-interval", "CLOUDSTATE_DEV_REBALANCE_INTERVAL", settings.rebalance_interval,
                  "How often two shards at most move to nodes that have fewer");
}

void AddScaling(CLI::App& command, RunOptions& options) {
  Setting(command, "--scaling", "CLOUDSTATE_DEV_SCALING", options.scaling,
          "Who says how many nodes there are, each a replica of the user function: nobody, you, or an autoscaler")
      ->check(CLI::IsMember({"off", "manual", "cloudstate", "knative"}));
  AddScalingFlags(command, options.settings.scaling);
}

void AddBehaviour(CLI::App& command, RunOptions& options) {
  runtime::Settings& settings = options.settings;
  Setting(
      command, "--durability", "CLOUDSTATE_DEV_DURABILITY", options.durability,
      "full: what was acknowledged survives a loss of power; relaxed: faster, survives a crash of this program only")
      ->check(CLI::IsMember({"full", "relaxed"}));
  command.add_flag("--ephemeral", options.ephemeral, "Keep nothing when it ends");
  DurationSetting(command, "--passivation-timeout", "CLOUDSTATE_DEV_PASSIVATION_TIMEOUT",
                  settings.limits.passivation_timeout, "How long an idle entity keeps its stream");
  DurationSetting(command, "--relay-timeout", "CLOUDSTATE_DEV_RELAY_TIMEOUT", settings.limits.relay_timeout,
                  "How long a command may take");
  DurationSetting(command, "--termination-grace", "CLOUDSTATE_DEV_TERMINATION_GRACE", settings.termination_grace,
                  "How long calls and COMMAND have to end at the end");
  Setting(command, "--max-active-entities", "CLOUDSTATE_DEV_MAX_ACTIVE_ENTITIES", settings.max_active_entities,
          "At most so many streams to the user function, and one for a replay; 0 for no limit (use 9 for Python's "
          "library)");
  Setting(command, "--max-message-bytes", "CLOUDSTATE_DEV_MAX_MESSAGE_BYTES", settings.max_message_bytes,
          "Largest message that comes in");
  command.add_flag("--entity-metadata", options.pass_metadata, "Pass clients' headers to entities as well");
  command.add_flag("-v,--verbose", options.verbosity, "Tell more on standard error; twice for still more");
}

// The sample is this program again, as a process of its own.
void UseSample(const std::string& sample, bool port_given, runtime::Settings& settings) {
  settings.command = SampleCommand(sample);
  if (!port_given) settings.user_function_port = 0;
}

// What the options mean together. Empty, or what is wrong with them.
std::string Resolve(const CLI::App& command, const Settings& common, RunOptions& options) {
  runtime::Settings& settings = options.settings;
  settings.version = Version();
  settings.commit = Commit();
  settings.told = ToldSettings(command);
  settings.data_directory = common.data_directory;

  settings.durability = options.ephemeral                 ? journal::Durability::kEphemeral
                        : options.durability == "relaxed" ? journal::Durability::kRelaxed
                                                          : journal::Durability::kFull;
  if (options.protocol == "0.1") settings.dialect = userfunction::Dialect::k0_1;
  if (options.protocol == "0.2") settings.dialect = userfunction::Dialect::k0_2;
  if (options.no_version_check) settings.version_check = userfunction::VersionCheck::kOff;
  if (options.pass_metadata) settings.entity_metadata = routing::EntityMetadata::kPass;

  const bool port_given = command.count("--user-function-port") > 0;
  const bool elsewhere = !options.user_function.empty();
  if (elsewhere + !options.sample.empty() + !settings.command.empty() > 1) {
    return "Choose one user function: --user-function, --sample or a COMMAND.";
  }
  if (elsewhere) {
    auto address = ParseHostAndPort(options.user_function);
    if (!address.has_value()) return "--user-function takes HOST:PORT, not '" + options.user_function + "'.";
    settings.user_function_host = std::move(address->host);
    settings.user_function_port = address->port;
  }
  if (settings.command.empty() && !settings.watch_directory.empty()) {
    return "--watch restarts a COMMAND, and there is none.";
  }
  const bool named = elsewhere || port_given || command.count("--user-function-host") > 0;
  if (!options.sample.empty()) {
    UseSample(options.sample, port_given, settings);
  } else if (settings.command.empty() && !named) {
    UseSample("shopping-cart", false, settings);
  }
  return "";
}

// What the cluster's options mean together. Empty, or what is wrong with them.
std::string CheckCluster(const runtime::Settings& settings) {
  const cluster::Membership::Options& membership = settings.membership;
  const double threshold = membership.detector.threshold;
  if (!std::isfinite(threshold) || threshold <= 0) return "--phi-threshold takes a number above 0, such as 8.";
  const std::pair<const char*, absl::Duration> times[] = {{"--heartbeat-interval", membership.heartbeat_interval},
                                                          {"--acceptable-pause", membership.detector.acceptable_pause},
                                                          {"--stable-after", membership.stable_after},
                                                          {"--rebalance-interval", settings.rebalance_interval}};
  for (const auto& [flag, time] : times) {
    if (time < absl::Milliseconds(1) || time > absl::Hours(24)) return absl::StrCat(flag, " takes 1ms to 24h.");
  }
  const std::size_t last = settings.node_port + settings.nodes - 1;
  if (settings.node_port != 0 && last > runtime::kLastPort) {
    return absl::StrCat("--node-port ", settings.node_port, " is too large for ", settings.nodes,
                        " nodes: the last one's port would be ", last, ".");
  }
  return "";
}

// In mode knative --nodes and --initial-scale are two words for one thing. Empty, or what is wrong with them.
std::string ResolveInitialScale(const CLI::App& command, runtime::Settings& settings) {
  int& initial_scale = settings.scaling.knative.initial_scale;
  if (command.count("--nodes") == 0) {
    settings.nodes = static_cast<std::size_t>(initial_scale);
  } else if (command.count("--initial-scale") == 0) {
    initial_scale = static_cast<int>(settings.nodes);
  }
  if (settings.nodes == static_cast<std::size_t>(initial_scale)) return "";
  return "--nodes and --initial-scale say the same in mode knative: give one of them.";
}

// What the options of scaling mean together. Empty, or what is wrong with them.
std::string ResolveScaling(const CLI::App& command, const RunOptions& options, runtime::Settings& settings) {
  scaling::Settings& scaling = settings.scaling;
  absl::Status status = scaling::ParseMode(options.scaling, scaling.mode);
  if (status.ok()) status = scaling::Check(scaling);
  if (!status.ok()) return std::string(status.message());
  if (scaling.mode == scaling::Mode::kOff) return "";
  std::string problem;
  if (scaling.mode == scaling::Mode::kKnative) problem = ResolveInitialScale(command, settings);
  if (problem.empty() && settings.nodes > static_cast<std::size_t>(scaling.MaxScale())) {
    problem = absl::StrCat("The first ", settings.nodes, " nodes are more than --max-scale lets there be, ",
                           scaling.MaxScale(), ".");
  }
  return problem;
}

absl::Status ReadDescriptors(const std::vector<std::string>& files, runtime::Settings& settings) {
  for (const std::string& file : files) {
    auto set = admin::ReadDescriptorFile(file);
    if (!set.ok()) return set.status();
    settings.descriptor_sets.push_back(*std::move(set));
  }
  return absl::OkStatus();
}

int Run(RunOptions& options, const Settings& common) {
  absl::Notification interrupted;
  const Interruption interruption([&] { interrupted.Notify(); });
  signal(SIGPIPE, SIG_IGN);
  base::SetUpLog(options.verbosity);

  if (absl::Status status = ReadDescriptors(common.descriptors, options.settings); !status.ok()) return Fail(status);
  if (!options.idle_flags.empty()) {
    base::LogWarning(absl::StrCat(absl::StrJoin(options.idle_flags, ", "), ": without effect, since --scaling is off"));
  }
  Console console(options.settings, common.json, StandardOutput());
  auto emulator = runtime::Emulator::Start(options.settings, console);
  if (!emulator.ok()) return Fail(emulator.status());
  if (options.open) {
    absl::Status opened = OpenWebBrowser(LocalUrl((*emulator)->admin_address()));
    if (!opened.ok()) base::LogWarning(std::string(opened.message()));
  }
  interrupted.WaitForNotification();
  console.ShowStop();
  emulator->reset();
  return kOk;
}

}  // namespace

void AddRun(CLI::App& root, Invocation& invocation) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = Command(root, "run", "Run the emulator beside a user function", kRunExamples);
  command->group(kRunGroup);
  AddUserFunction(*command, *options);
  AddAddresses(*command, *options);
  AddCluster(*command, *options);
  AddScaling(*command, *options);
  AddBehaviour(*command, *options);
  command->callback([&invocation, options, command] {
    std::string problem = Resolve(*command, invocation.settings, *options);
    if (problem.empty()) problem = ResolveScaling(*command, *options, options->settings);
    if (problem.empty()) problem = CheckCluster(options->settings);
    if (options->settings.scaling.mode == scaling::Mode::kOff) options->idle_flags = GivenScalingFlags(*command);
    if (!problem.empty()) throw CLI::ValidationError(problem);
    invocation.action = [&invocation, options] { return Run(*options, invocation.settings); };
  });
}

}  // namespace cloudstate::cli
