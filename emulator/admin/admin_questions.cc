#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cloudstate/dev/v1/figures.pb.h"
#include "cloudstate/dev/v1/testing.pb.h"
#include "emulator/admin/admin_backend.h"
#include "emulator/admin/answering.h"
#include "emulator/admin/since.h"
#include "emulator/admin/type_description.h"

namespace cloudstate::admin {
namespace {

constexpr int kDefaultLogLines = 100;

}  // namespace

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
  live_.Traces(
      request->filter(), static_cast<std::size_t>(*limit),
      [pool = pool_, answer, brief = request->brief()](Traces traces) {
        ReadLater(*pool, answer, [answer, brief, traces = std::move(traces)](const absl::StatusOr<Views*>& views) {
          absl::StatusOr<dev::v1::ListCommandsResponse> response = dev::v1::ListCommandsResponse();
          if (!views.ok()) response = views.status();
          for (std::size_t i = 0; i < traces.size() && response.ok(); ++i) {
            absl::StatusOr<dev::v1::CommandTrace> view = brief ? BriefTrace(*traces[i]) : (*views)->Trace(*traces[i]);
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

}  // namespace cloudstate::admin
