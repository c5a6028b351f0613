#include "emulator/fuzzing/sequence.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "emulator/base/chance.h"
#include "emulator/base/proto_time.h"
#include "emulator/fuzzing/values.h"

namespace cloudstate::fuzzing {
namespace {

using dev::v1::TestStep;
using google::protobuf::FieldDescriptor;
using google::protobuf::Value;

// Without white space, so that they are one word in a test file.
constexpr std::array<std::string_view, 8> kIds = {"a",
                                                  "b",
                                                  "user-1",
                                                  "0",
                                                  "a/b",
                                                  "a?b=c&d",
                                                  "\u00dcn\u00ef\u2713",
                                                  "an-id-that-is-longer-than-most-of-them-are-0123456789"};
constexpr std::size_t kIdsAtOnce = 3;
constexpr std::string_view kProbeId = "fresh-";
constexpr double kEvictShare = 0.08;
constexpr double kTimeShare = 0.04;
constexpr double kProbeShare = 0.08;
constexpr double kRepeatShare = 0.04;  // how often it begins to repeat a command
constexpr double kFocusShare = 0.75;   // to the entity, and the service, that most goes to
constexpr absl::Duration kLongerThanPassivation = absl::Minutes(1);

// A key's value that has `text` in it, or what comes nearest to that. `number` stands for it where it is none.
Value KeyValue(const FieldDescriptor& field, const std::string& text, std::uint64_t number) {
  Value value;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      value.set_bool_value(number % 2 == 1);
      break;
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto& type = *field.enum_type();
      value.set_string_value(
          type.value(static_cast<int>(number % static_cast<std::uint64_t>(type.value_count())))->name());
      break;
    }
    case FieldDescriptor::CPPTYPE_STRING:
      value.set_string_value(text);
      break;
    default:
      value.set_number_value(static_cast<double>(number));
  }
  return value;
}

std::string KeyText(const Value& value) {
  if (value.has_bool_value()) return value.bool_value() ? "true" : "false";
  return value.has_number_value() ? absl::StrCat(static_cast<std::uint64_t>(value.number_value()))
                                  : value.string_value();
}

// The entity that SetKey means.
std::string EntityId(const Method& method, const std::string& text, std::uint64_t number) {
  std::vector<std::string> parts;
  for (const std::string& name : method.key_fields) {
    const FieldDescriptor* field = method.input->FindFieldByName(name);
    if (field != nullptr) parts.push_back(KeyText(KeyValue(*field, text, number)));
  }
  return absl::StrJoin(parts, "-");
}

void SetKey(const Method& method, const std::string& text, std::uint64_t number, Value& input) {
  auto& fields = *input.mutable_struct_value()->mutable_fields();
  for (const std::string& name : method.key_fields) {
    const FieldDescriptor* field = method.input->FindFieldByName(name);
    if (field != nullptr) fields[field->json_name()] = KeyValue(*field, text, number);
  }
}

class Maker {
 public:
  Maker(const std::vector<Method>& methods, const std::vector<Probe>& probes, std::uint64_t seed)
      : methods_(methods), probes_(probes), random_(seed), values_(random_) {
    focus_ = Pick(methods_).service;
    while (ids_.size() < kIdsAtOnce) {
      const std::size_t id = base::Below(random_, kIds.size());
      if (std::find(ids_.begin(), ids_.end(), id) == ids_.end()) ids_.push_back(id);
    }
  }

  Sequence Make(int steps) {
    Sequence sequence;
    while (sequence.size() < static_cast<std::size_t>(steps)) {
      sequence.push_back(Next(sequence));
      if (!sequence.back().has_call() || !base::Happens(random_, kRepeatShare)) continue;
      const TestStep again = sequence.back();
      for (std::size_t left = static_cast<std::size_t>(steps) - sequence.size(); left > 0; --left) {
        if (base::Happens(random_, 0.1)) break;
        sequence.push_back(again);
      }
    }
    return sequence;
  }

 private:
  template <class Item>
  const Item& Pick(const std::vector<Item>& items) {
    return items[base::Below(random_, items.size())];
  }

  TestStep Next(const Sequence& before) {
    if (!last_entity_.empty() && base::Happens(random_, kEvictShare)) {
      TestStep step;
      step.set_evict(last_entity_);
      return step;
    }
    if (!before.empty() && base::Happens(random_, kTimeShare)) {
      TestStep step;
      *step.mutable_advance() = base::ToDuration(kLongerThanPassivation);
      return step;
    }
    if (!probes_.empty() && base::Happens(random_, kProbeShare)) return ProbeStep(*Pick(probes_).method, ++probed_);
    return Call();
  }

  std::size_t Id() { return base::Happens(random_, kFocusShare) ? ids_.front() : Pick(ids_); }

  TestStep Call() {
    const Method* method = &Pick(methods_);
    if (method->service != focus_ && base::Happens(random_, kFocusShare)) method = &OfFocus();
    TestStep step;
    step.set_call(method->FullName());
    const std::size_t id = Id();
    if (method->kind != Kind::kAction) {
      last_entity_ = absl::StrCat(method->service, " ", EntityId(*method, std::string(kIds[id]), id));
    }
    if (!method->takes_stream) {
      *step.mutable_input() = Input(*method, id);
      return step;
    }
    for (std::size_t left = base::Below(random_, 4); left > 0; --left) *step.add_inputs() = Input(*method, id);
    return step;
  }

  const Method& OfFocus() {
    std::vector<const Method*> those;
    for (const Method& method : methods_) {
      if (method.service == focus_) those.push_back(&method);
    }
    return *Pick(those);
  }

  Value Input(const Method& method, std::size_t id) {
    Value input = values_.Message(*method.input);
    if (method.kind != Kind::kAction) SetKey(method, std::string(kIds[id]), id, input);
    return input;
  }

  const std::vector<Method>& methods_;
  const std::vector<Probe>& probes_;
  base::Random random_;
  ValueMaker values_;
  std::string focus_;             // a service
  std::string last_entity_;       // that was called, as an eviction names it
  std::vector<std::size_t> ids_;  // most goes to the first
  int probed_ = 0;
};

}  // namespace

Sequence MakeSequence(const std::vector<Method>& methods, const std::vector<Probe>& probes, std::uint64_t seed,
                      int steps) {
  return Maker(methods, probes, seed).Make(steps);
}

TestStep ProbeStep(const Method& method, int number) {
  TestStep step;
  step.set_call(method.FullName());
  SetKey(method, absl::StrCat(absl::string_view(kProbeId.data(), kProbeId.size()), absl::StrFormat("%04d", number)),
         static_cast<std::uint64_t>(900'000 + number), *step.mutable_input());
  return step;
}

bool IsProbe(const TestStep& step, const Method& method) {
  if (step.call() != method.FullName() || method.key_fields.empty()) return false;
  const auto& fields = step.input().struct_value().fields();
  if (fields.size() != method.key_fields.size()) return false;
  const FieldDescriptor* key = method.input->FindFieldByName(method.key_fields.front());
  const auto found = key == nullptr ? fields.end() : fields.find(key->json_name());
  if (found == fields.end()) return false;
  return absl::StartsWith(found->second.string_value(), absl::string_view(kProbeId.data(), kProbeId.size()));
}

}  // namespace cloudstate::fuzzing
