#include "samples/cpp/counters.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "counters/counters.pb.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/empty.pb.h"

namespace cloudstate::samples {
namespace {

using google::protobuf::Any;
namespace api = com::example::counters;

WriteConsistency ConsistencyOf(api::Consistency consistency) {
  if (consistency == api::MAJORITY) return WriteConsistency::kMajority;
  return consistency == api::ALL ? WriteConsistency::kAll : WriteConsistency::kLocal;
}

// Answers with what the counter has, or with why it could not count.
template <typename Answer, typename Counter>
void ReplyValue(const absl::Status& counted, CrdtContext& context) {
  if (!counted.ok()) return context.Fail(std::string(counted.message()));
  Answer answer;
  answer.set_value(context.Get<Counter>().value());
  context.Reply(answer);
}

class GrowingCounter final : public CrdtEntity {
 public:
  std::optional<Crdt> FirstValue() const override { return GCounter(); }

  absl::Status OnCommand(const std::string& name, const Any& payload, CrdtContext& context) override {
    absl::Status counted;
    if (api::IncrementBy increment; name == "Increment" && payload.UnpackTo(&increment)) {
      context.SetWriteConsistency(ConsistencyOf(increment.consistency()));
      counted = context.Change<GCounter>().Increment(increment.by() == 0 ? 1 : increment.by());
    } else if (name != "Get" || !payload.Is<api::Counter>()) {
      return UnknownType(absl::StrCat("command ", name), payload);
    }
    ReplyValue<api::Count, GCounter>(counted, context);
    return absl::OkStatus();
  }
};

class UpDownCounter final : public CrdtEntity {
 public:
  std::optional<Crdt> FirstValue() const override { return PNCounter(); }

  absl::Status OnCommand(const std::string& name, const Any& payload, CrdtContext& context) override {
    absl::Status counted;
    if (api::ChangeBy change; name == "Change" && payload.UnpackTo(&change)) {
      context.SetWriteConsistency(ConsistencyOf(change.consistency()));
      counted = context.Change<PNCounter>().Change(change.by());
    } else if (name != "Get" || !payload.Is<api::Counter>()) {
      return UnknownType(absl::StrCat("command ", name), payload);
    }
    ReplyValue<api::Balance, PNCounter>(counted, context);
    return absl::OkStatus();
  }
};

class HitCounter final : public CrdtEntity {
 public:
  std::optional<Crdt> FirstValue() const override { return GCounter(); }

  absl::Status OnCommand(const std::string& name, const Any& payload, CrdtContext& context) override {
    if (!payload.Is<api::Counter>()) return UnknownType(absl::StrCat("command ", name), payload);
    if (name == "Get") {
      ReplyValue<api::Count, GCounter>(absl::OkStatus(), context);
    } else if (absl::Status counted = context.Change<GCounter>().Increment(1); !counted.ok()) {
      context.Fail(std::string(counted.message()));
    } else {
      context.Reply(google::protobuf::Empty());
    }
    return absl::OkStatus();
  }
};

template <typename Entity>
CrdtService Describe(std::string service) {
  return {
      .service_name = "com.example.counters." + std::move(service),
      .files = {api::Counter::descriptor()->file()},
      .create = [](const std::string&) { return std::make_unique<Entity>(); },
  };
}

}  // namespace

UserFunction Counters() {
  return {
      .name = "counters",
      .version = "1.0.0",
      .crdts = {Describe<GrowingCounter>("Counters"), Describe<UpDownCounter>("UpDownCounters"),
                Describe<HitCounter>("Hits")},
  };
}

}  // namespace cloudstate::samples
