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
#include "emulator/admin/answering.h"
#include "emulator/admin/figures_watching.h"
#include "emulator/admin/replaying.h"
#include "emulator/admin/scaling_watching.h"

namespace cloudstate::admin {
namespace {

constexpr char kEmulator[] = "cloudstate.dev.v1.Emulator";
constexpr char kCluster[] = "cloudstate.dev.v1.Cluster";
constexpr char kCrdts[] = "cloudstate.dev.v1.Crdts";
constexpr char kFigures[] = "cloudstate.dev.v1.Figures";
constexpr char kReplays[] = "cloudstate.dev.v1.Replays";
constexpr char kScaling[] = "cloudstate.dev.v1.Scaling";
constexpr char kTesting[] = "cloudstate.dev.v1.Testing";

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

void AdminBackend::Start(serving::Call call, std::shared_ptr<serving::Responder> responder) {
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
