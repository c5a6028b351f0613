#include "emulator/admin/admin_backend.h"

#include <map>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cloudstate/dev/v1/cluster.pb.h"
#include "cloudstate/dev/v1/crdt.pb.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cloudstate/dev/v1/figures.pb.h"
#include "cloudstate/dev/v1/replay.pb.h"
#include "cloudstate/dev/v1/scaling.pb.h"
#include "cloudstate/dev/v1/testing.pb.h"
#include "emulator/admin/figures_watching.h"
#include "emulator/admin/replaying.h"
#include "emulator/admin/scaling_watching.h"
#include "emulator/admin/since.h"
#include "emulator/admin/type_description.h"

namespace cloudstate::admin {
namespace {

using serving::Responder;

constexpr char kEmulator[] = "cloudstate.dev.v1.Emulator";
constexpr char kCluster[] = "cloudstate.dev.v1.Cluster";
constexpr char kCrdts[] = "cloudstate.dev.v1.Crdts";
constexpr char kFigures[] = "cloudstate.dev.v1.Figures";
constexpr char kReplays[] = "cloudstate.dev.v1.Replays";
constexpr char kScaling[] = "cloudstate.dev.v1.Scaling";
constexpr char kTesting[] = "cloudstate.dev.v1.Testing";

constexpr int kDefaultLogLines = 100;

std::shared_ptr<const serving::Services> OwnServices() {
  const google::protobuf::FileDescriptor* emulator = dev::v1::Status::descriptor()->file();
  const google::protobuf::FileDescriptor* cluster = dev::v1::Steering::descriptor()->file();
  const google::protobuf::FileDescriptor* crdt = dev::v1::Crdt::descriptor()->file();
  const google::protobuf::FileDescriptor* figures = dev::v1::Sample::descriptor()->file();
  const google::protobuf::FileDescriptor* replay = dev::v1::ReplayRequest::descriptor()->file();
  const google::protobuf::FileDescriptor* scaling = dev::v1::ScalingState::descriptor()->file();
  const google::protobuf::FileDescriptor* testing = dev::v1::Mark::descriptor()->file();
  return std::make_shared<serving::Services>(
      serving::Services{.pool = emulator->pool(),
                        .services = {emulator->FindServiceByName("Emulator"), cluster->FindServiceByName("Cluster"),
                                     crdt->FindServiceByName("Crdts"), replay->FindServiceByName("Replays"),
                                     figures->FindServiceByName("Figures"), scaling->FindServiceByName("Scaling"),
                                     testing->FindServiceByName("Testing")}});
}

// The call's input; without one, the call has been ended.
template <class Request>
std::optional<Request> Parse(const serving::Call& call, Responder& responder) {
  Request request;
  if (request.ParseFromString(call.payload)) return request;
  responder.Finish(absl::InvalidArgumentError(
      absl::StrCat("The request is no ", request.GetTypeName(), ". Do client and emulator have the same version?")));
  return std::nullopt;
}

template <class Response>
void Reply(Responder& responder, const absl::StatusOr<Response>& response) {
  if (response.ok()) responder.Message(response->SerializeAsString());
  responder.Finish(response.status());
}

void ReadLater(ReaderPool& pool, const std::shared_ptr<Responder>& answer, ReaderPool::Task task) {
  if (absl::Status taken = pool.TryPost(std::move(task)); !taken.ok()) answer->Finish(std::move(taken));
}

}  // namespace

AdminBackend::AdminBackend(Live& live, Control& control, Options options)
    : live_(live),
      control_(control),
      services_(OwnServices()),
      pool_(std::make_shared<ReaderPool>(std::move(options.open_journal), std::move(options.descriptor_sets),
                                         options.reader_threads)),
      access_(std::move(options.access)),
      caller_(live.UserFunction()),
      max_replays_(options.max_replays) {}

AdminBackend::~AdminBackend() {
  pool_->Stop();
  std::set<std::shared_ptr<Watching>> watching;
  {
    std::lock_guard lock(mutex_);
    watching = watching_;
  }
  for (const std::shared_ptr<Watching>& each : watching) each->End(absl::UnavailableError("The emulator is stopping."));
}

// What each method of the contract does.
struct AdminBackend::Handlers {
  using Handler = void (*)(AdminBackend&, const serving::Call&, Answer);
  enum class Effect { kLooks, kChanges };  // something, or calls the user function
  struct Method {
    Handler handler;
    Effect effect = Effect::kLooks;
  };
  using Methods = std::map<std::string_view, Method>;

  template <auto view>
  static void Read(AdminBackend& backend, const serving::Call& call, Answer answer) {
    backend.Read(call, std::move(answer), view);
  }
  template <auto handle>
  static void Own(AdminBackend& backend, const serving::Call& call, Answer answer) {
    (backend.*handle)(call, std::move(answer));
  }
  template <auto question>
  static void Ask(AdminBackend& backend, const serving::Call& call, Answer answer) {
    backend.Ask(call, answer, question);
  }
  template <auto question>
  static void AskAndDescribe(AdminBackend& backend, const serving::Call& call, Answer answer) {
    backend.AskAndDescribe(call, answer, question);
  }

  static const Methods& OfEmulator() {
    static const Methods kMethods{
        {"GetStatus", {Own<&AdminBackend::GetStatus>}},
        {"GetSettings", {Ask<&Live::GetSettings>}},
        {"ListServices", {Own<&AdminBackend::ListServices>}},
        {"ListEntities", {Read<&Views::ListEntities>}},
        {"GetEntity", {Read<&Views::GetEntity>}},
        {"DeleteEntity", {Ask<&Live::DeleteEntity>, Effect::kChanges}},
        {"ListEvents", {Read<&Views::ListEvents>}},
        {"ListSnapshots", {Read<&Views::ListSnapshots>}},
        {"ListNewestEvents", {Read<&Views::ListNewestEvents>}},
        {"WatchEvents", {Own<&AdminBackend::Watch<EventsWatching, dev::v1::WatchEventsRequest>>}},
        {"ListCommands", {Own<&AdminBackend::ListCommands>}},
        {"GetCommand", {Own<&AdminBackend::GetCommand>}},
        {"WatchCommands", {Own<&AdminBackend::Watch<CommandsWatching, dev::v1::WatchCommandsRequest>>}},
        {"DescribeType", {Own<&AdminBackend::DescribeType>}},
        {"Call", {Own<&AdminBackend::CallUserFunction>, Effect::kChanges}},
        {"CallStream", {Own<&AdminBackend::CallUserFunctionWithStreams>, Effect::kChanges}},
    };
    return kMethods;
  }

  static const Methods& OfCluster() {
    static const Methods kMethods{
        {"ListNodes", {Ask<&Live::ListNodes>}},
        {"GetNode", {Ask<&Live::GetNode>}},
        {"ListShards", {Ask<&Live::ListShards>}},
        {"GetNetwork", {Ask<&Live::GetNetwork>}},
        {"Steer", {Ask<&Live::Steer>, Effect::kChanges}},
        {"ListClusterEvents", {Ask<&Live::ListClusterEvents>}},
        {"WatchClusterEvents", {Own<&AdminBackend::Watch<ClusterEventsWatching, dev::v1::WatchClusterEventsRequest>>}},
    };
    return kMethods;
  }

  static const Methods& OfCrdts() {
    static const Methods kMethods{
        {"ListCrdts", {AskAndDescribe<&Live::ListCrdts>}},
        {"GetCrdt", {AskAndDescribe<&Live::GetCrdt>}},
        {"WatchCrdts", {Own<&AdminBackend::Watch<CrdtsWatching, dev::v1::WatchCrdtsRequest>>}},
    };
    return kMethods;
  }

  static const Methods& OfReplays() {
    static const Methods kMethods{{"Replay", {Own<&AdminBackend::Replay>, Effect::kChanges}}};
    return kMethods;
  }

  static const Methods& OfFigures() {
    static const Methods kMethods{
        {"ListSamples", {Own<&AdminBackend::ListSamples>}},
        {"WatchSamples", {Own<&AdminBackend::Watch<SamplesWatching, dev::v1::WatchSamplesRequest>>}},
        {"ListLogLines", {Own<&AdminBackend::ListLogLines>}},
        {"WatchLogLines", {Own<&AdminBackend::Watch<LogLinesWatching, dev::v1::WatchLogLinesRequest>>}},
    };
    return kMethods;
  }

  static const Methods& OfScaling() {
    static const Methods kMethods{
        {"GetScaling", {Ask<&Live::GetScaling>}},
        {"SetScaling", {Ask<&Live::SetScaling>, Effect::kChanges}},
        {"ListScalingEvents", {Ask<&Live::ListScalingEvents>}},
        {"WatchScalingEvents", {Own<&AdminBackend::Watch<ScalingEventsWatching, dev::v1::WatchScalingEventsRequest>>}},
        {"RecordCalls", {Own<&AdminBackend::Watch<CallTimesWatching, dev::v1::RecordCallsRequest>>}},
    };
    return kMethods;
  }

  static const Methods& OfTesting() {
    static const Methods kMethods{
        {"Reset", {Ask<&Control::Reset>, Effect::kChanges}},
        {"Seed", {Ask<&Control::Seed>, Effect::kChanges}},
        {"Evict", {Ask<&Control::Evict>, Effect::kChanges}},
        {"SaveState", {Ask<&Control::SaveState>, Effect::kChanges}},
        {"RestoreState", {Ask<&Control::RestoreState>, Effect::kChanges}},
        {"ListStates", {Ask<&Control::ListStates>}},
        {"Wait", {Ask<&Control::Wait>}},
        {"GetMark", {Own<&AdminBackend::GetMark>}},
        {"ListSince", {Own<&AdminBackend::ListSince>}},
        {"AdvanceTime", {Ask<&Control::AdvanceTime>, Effect::kChanges}},
        {"InjectFault", {Ask<&Control::InjectFault>, Effect::kChanges}},
        {"ListFaults", {Ask<&Control::ListFaults>}},
        {"ClearFaults", {Ask<&Control::ClearFaults>, Effect::kChanges}},
        {"GetTypes", {Ask<&Control::GetTypes>}},
    };
    return kMethods;
  }

  static const Method* Find(std::string_view service, std::string_view method) {
    static const std::map<std::string_view, const Methods*> kServices{
        {kEmulator, &OfEmulator()}, {kCluster, &OfCluster()}, {kCrdts, &OfCrdts()},    {kReplays, &OfReplays()},
        {kFigures, &OfFigures()},   {kScaling, &OfScaling()}, {kTesting, &OfTesting()}};
    const auto methods = kServices.find(service);
    if (methods == kServices.end()) return nullptr;
    const auto found = methods->second->find(method);
    return found == methods->second->end() ? nullptr : &found->second;
  }
};

void AdminBackend::Start(serving::Call call, std::shared_ptr<Responder> responder) {
  const Handlers::Method* method = Handlers::Find(call.service, call.method);
  if (method == nullptr) {
    responder->Finish(absl::UnimplementedError(absl::StrCat("There is no ", call.service, ".", call.method, " here.")));
    return;
  }
  if (method->effect == Handlers::Effect::kChanges) {
    if (absl::Status status = access_.CheckChange(call); !status.ok()) return responder->Finish(std::move(status));
  }
  method->handler(*this, call, std::move(responder));
}

template <class Request, class Response>
void AdminBackend::Read(const serving::Call& call, Answer answer,
                        absl::StatusOr<Response> (Views::*view)(const Request&)) {
  std::optional<Request> request = Parse<Request>(call, *answer);
  if (!request) return;
  ReadLater(*pool_, answer, [answer, view, request = *std::move(request)](const absl::StatusOr<Views*>& views) {
    if (views.ok()) {
      Reply(*answer, ((*views)->*view)(request));
    } else {
      answer->Finish(views.status());
    }
  });
}

void AdminBackend::GetStatus(const serving::Call&, Answer answer) {
  live_.GetStatus([pool = pool_, answer](dev::v1::Status status) {
    ReadLater(*pool, answer, [answer, status = std::move(status)](const absl::StatusOr<Views*>& views) mutable {
      // A status without the count is better than none.
      absl::StatusOr<std::int64_t> stored = views.ok() ? (*views)->CountEvents() : views.status();
      if (stored.ok()) status.set_stored_events(*stored);
      Reply<dev::v1::Status>(*answer, std::move(status));
    });
  });
}

void AdminBackend::ListServices(const serving::Call&, Answer answer) {
  live_.ListServices([answer](dev::v1::ListServicesResponse services) {
    Reply<dev::v1::ListServicesResponse>(*answer, std::move(services));
  });
}

void AdminBackend::ListCommands(const serving::Call& call, Answer answer) {
  auto request = Parse<dev::v1::ListCommandsRequest>(call, *answer);
  if (!request) return;
  absl::StatusOr<int> limit = PageSize(request->limit());
  if (!limit.ok()) {
    answer->Finish(limit.status());
    return;
  }
  using Traces = std::vector<std::shared_ptr<const trace::Trace>>;
  live_.Traces(request->filter(), static_cast<std::size_t>(*limit), [pool = pool_, answer](Traces traces) {
    ReadLater(*pool, answer, [answer, traces = std::move(traces)](const absl::StatusOr<Views*>& views) {
      absl::StatusOr<dev::v1::ListCommandsResponse> response = dev::v1::ListCommandsResponse();
      if (!views.ok()) response = views.status();
      for (std::size_t i = 0; i < traces.size() && response.ok(); ++i) {
        absl::StatusOr<dev::v1::CommandTrace> view = (*views)->Trace(*traces[i]);
        if (view.ok()) {
          *response->add_commands() = *std::move(view);
        } else {
          response = view.status();
        }
      }
      Reply(*answer, response);
    });
  });
}

void AdminBackend::GetCommand(const serving::Call& call, Answer answer) {
  auto request = Parse<dev::v1::GetCommandRequest>(call, *answer);
  if (!request) return;
  const std::string id = request->trace_id();
  live_.FindTrace(id, [pool = pool_, answer, id](std::shared_ptr<const trace::Trace> trace) {
    if (trace == nullptr) {
      answer->Finish(absl::NotFoundError(
          absl::StrCat("There is no trace '", id, "': only the newest ones of this run are kept.")));
      return;
    }
    ReadLater(*pool, answer, [answer, trace = std::move(trace)](const absl::StatusOr<Views*>& views) {
      Reply(*answer, views.ok() ? (*views)->Trace(*trace) : views.status());
    });
  });
}

void AdminBackend::ListSamples(const serving::Call& call, Answer answer) {
  auto request = Parse<dev::v1::ListSamplesRequest>(call, *answer);
  if (!request) return;
  if (request->limit() < 0) {
    answer->Finish(
        absl::InvalidArgumentError(absl::StrCat("asked for ", request->limit(), " samples; ask for at least 1")));
    return;
  }
  const std::size_t limit = request->limit() == 0 ? SIZE_MAX : static_cast<std::size_t>(request->limit());
  live_.Samples(limit, [pool = pool_, answer](std::vector<Live::Sample> samples) {
    ReadLater(*pool, answer, [answer, samples = std::move(samples)](const absl::StatusOr<Views*>&) {
      dev::v1::ListSamplesResponse response;
      for (const Live::Sample& sample : samples) *response.add_samples() = *sample;
      Reply<dev::v1::ListSamplesResponse>(*answer, std::move(response));
    });
  });
}

void AdminBackend::ListLogLines(const serving::Call& call, Answer answer) {
  auto request = Parse<dev::v1::ListLogLinesRequest>(call, *answer);
  if (!request) return;
  const absl::StatusOr<LogFilter> filter = LogFilter::From(request->filter());
  const absl::StatusOr<std::size_t> limit = LogLimit(request->limit() == 0 ? kDefaultLogLines : request->limit());
  if (!filter.ok() || !limit.ok()) {
    answer->Finish(filter.ok() ? limit.status() : filter.status());
    return;
  }
  ReadLater(*pool_, answer, [this, answer, filter = *filter, limit = *limit](const absl::StatusOr<Views*>&) {
    dev::v1::ListLogLinesResponse response;
    for (const auto& line : live_.NewestLogLines(filter, limit).lines) *response.add_lines() = *line;
    Reply<dev::v1::ListLogLinesResponse>(*answer, std::move(response));
  });
}

void AdminBackend::GetMark(const serving::Call&, Answer answer) {
  live_.GetMark([pool = pool_, answer](dev::v1::Mark mark) {
    ReadLater(*pool, answer, [answer, mark = std::move(mark)](const absl::StatusOr<Views*>& views) {
      Reply(*answer, views.ok() ? WithPosition(**views, mark) : absl::StatusOr<dev::v1::Mark>(views.status()));
    });
  });
}

void AdminBackend::ListSince(const serving::Call& call, Answer answer) {
  auto request = Parse<dev::v1::ListSinceRequest>(call, *answer);
  if (!request) return;
  const absl::StatusOr<int> limit = PageSize(request->limit());
  if (absl::Status status = limit.ok() ? CheckMark(request->mark()) : limit.status(); !status.ok()) {
    answer->Finish(std::move(status));
    return;
  }
  const std::int64_t position = request->mark().position();
  live_.ListSince(request->mark(), static_cast<std::size_t>(*limit),
                  [pool = pool_, answer, position, limit = *limit](Live::Since since) {
                    ReadLater(*pool, answer,
                              [answer, position, limit, since = std::move(since)](const absl::StatusOr<Views*>& views) {
                                Reply(*answer, views.ok() ? DescribeSince(**views, since, position, limit)
                                                          : absl::StatusOr<dev::v1::ListSinceResponse>(views.status()));
                              });
                  });
}

void AdminBackend::DescribeType(const serving::Call& call, Answer answer) {
  auto request = Parse<dev::v1::DescribeTypeRequest>(call, *answer);
  if (!request) return;
  const std::shared_ptr<const serving::Services> services = live_.UserFunction().CurrentServices();
  Reply(*answer, admin::DescribeType(*services, request->type()));
}

void AdminBackend::CallUserFunction(const serving::Call& call, Answer answer) {
  auto request = Parse<dev::v1::CallRequest>(call, *answer);
  if (!request) return;
  caller_.Call(*request, call.peer, std::move(answer));
}

void AdminBackend::CallUserFunctionWithStreams(const serving::Call& call, Answer answer) {
  Caller::StartCheck check;
  if (Access::IsCheckedLater(call)) {
    check = [this](const dev::v1::CallStart& start) { return access_.CheckToken(start.token()); };
  }
  caller_.CallStream(call.requests, call.peer, std::move(check), std::move(answer));
}

template <class Asked, class Request, class Response>
void AdminBackend::Ask(const serving::Call& call, const Answer& answer,
                       void (Asked::*question)(const Request&, Live::Done<Response>)) {
  const std::optional<Request> request = Parse<Request>(call, *answer);
  if (!request) return;
  Asked* asked = nullptr;
  if constexpr (std::is_same_v<Asked, Control>) {
    asked = &control_;
  } else {
    asked = &live_;
  }
  (asked->*question)(*request, [answer](absl::StatusOr<Response> response) { Reply(*answer, response); });
}

template <class Request, class Response>
void AdminBackend::AskAndDescribe(const serving::Call& call, const Answer& answer,
                                  void (Live::*question)(const Request&, Live::Done<Response>)) {
  const std::optional<Request> request = Parse<Request>(call, *answer);
  if (!request) return;
  (live_.*question)(*request, [pool = pool_, answer](absl::StatusOr<Response> response) {
    if (!response.ok()) return answer->Finish(response.status());
    ReadLater(*pool, answer, [answer, response = *std::move(response)](const absl::StatusOr<Views*>& views) mutable {
      absl::Status described = views.ok() ? (*views)->Describe(response) : views.status();
      Reply<Response>(*answer, described.ok() ? absl::StatusOr<Response>(std::move(response)) : described);
    });
  });
}

void AdminBackend::Replay(const serving::Call& call, Answer answer) {
  auto request = Parse<dev::v1::ReplayRequest>(call, *answer);
  if (!request) return;
  auto place = ReplayPlaces::Take(replays_, max_replays_);
  if (place == nullptr) {
    answer->Finish(absl::ResourceExhaustedError(
        absl::StrCat("There are as many replays as there may be at once, ", max_replays_,
                     max_replays_ == 1 ? " because of --max-active-entities" : "", "; try again when one has ended.")));
    return;
  }
  std::make_shared<Replaying>(live_, pool_, std::move(place), *std::move(request), std::move(answer))->Begin();
}

template <class Kind, class Request>
void AdminBackend::Watch(const serving::Call& call, Answer answer) {
  std::optional<Request> request = Parse<Request>(call, *answer);
  if (!request) return;
  if constexpr (requires { Kind::Check(*request); }) {
    if (absl::Status status = Kind::Check(*request); !status.ok()) return answer->Finish(std::move(status));
  }
  std::shared_ptr<Watching> watching = std::make_shared<Kind>(pool_, std::move(answer), live_, *std::move(request));
  {
    std::lock_guard lock(mutex_);
    watching_.insert(watching);
  }
  watching->Start([this](const std::shared_ptr<Watching>& ended) {
    std::lock_guard lock(mutex_);
    watching_.erase(ended);
  });
}

}  // namespace cloudstate::admin
