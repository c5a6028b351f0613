#include "emulator/fuzzing/shrink.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "emulator/base/json_members.h"
#include "emulator/base/printable.h"
#include "emulator/simulation/delta_debugging.h"
#include "google/protobuf/util/message_differencer.h"

namespace cloudstate::fuzzing {
namespace {

using dev::v1::TestStep;
using google::protobuf::Struct;
using google::protobuf::Value;
using google::protobuf::util::MessageDifferencer;

void AddText(const std::string& text, std::vector<Value>& plainer) {
  if (text.empty()) return;
  const auto add = [&](std::string shorter) {
    if (shorter != text) plainer.emplace_back().set_string_value(std::move(shorter));
  };
  add("");
  if (text == "0") return;  // the plainest number: a step to another would come back
  if (double number = 0; absl::SimpleAtod(text, &number)) {
    add("0");
    add("1");
    if (std::isfinite(number) && std::abs(number) < 9e15) {  // is whole in a double
      add(absl::StrCat(static_cast<std::int64_t>(number / 2)));
    }
    return;
  }
  add("a");
  add(std::string(base::Beginning(text, text.size() / 2)));
}

void AddNumber(double number, std::vector<Value>& plainer) {
  const auto add = [&](double smaller) {
    if (std::abs(smaller) < std::abs(number) || (number < 0 && smaller >= 0)) {
      plainer.emplace_back().set_number_value(smaller);
    }
  };
  if (!std::isfinite(number)) return;
  add(0);
  add(number < 0 ? -1 : 1);
  add(std::trunc(number / 2));
}

// With one of `changed` in place of what `place` gives of a copy.
template <class Place>
void AddWithin(const Value& whole, const Value& part, const Place& place, std::vector<Value>& plainer) {
  for (Value& changed : Plainer(part)) {
    Value copy = whole;
    *place(copy) = std::move(changed);
    plainer.push_back(std::move(copy));
  }
}

void AddStruct(const Value& value, std::vector<Value>& plainer) {
  const auto members = base::MembersByName(value);
  if (members.empty()) return;
  plainer.emplace_back().mutable_struct_value();
  if (members.size() > 1) {
    for (const auto& [name, field] : members) {
      Value copy = value;
      copy.mutable_struct_value()->mutable_fields()->erase(name);
      plainer.push_back(std::move(copy));
    }
  }
  for (const auto& [name, field] : members) {
    const auto place = [&name = name](Value& copy) { return &(*copy.mutable_struct_value()->mutable_fields())[name]; };
    AddWithin(value, *field, place, plainer);
  }
}

void AddList(const Value& value, std::vector<Value>& plainer) {
  const int size = value.list_value().values_size();
  if (size == 0) return;
  plainer.emplace_back().mutable_list_value();
  for (int i = 0; size > 1 && i < size; ++i) {
    Value copy = value;
    copy.mutable_list_value()->mutable_values()->DeleteSubrange(i, 1);
    plainer.push_back(std::move(copy));
  }
  for (int i = 0; i < size; ++i) {
    const auto place = [i](Value& copy) { return copy.mutable_list_value()->mutable_values(i); };
    AddWithin(value, value.list_value().values(i), place, plainer);
  }
}

class Shrinker {
 public:
  Shrinker(Sequence sequence, const std::function<bool(const Sequence&)>& fails, int most_runs)
      : best_(std::move(sequence)), fails_(fails), runs_(most_runs) {}

  Sequence Run() {
    best_ = simulation::DropItems(
        std::move(best_), [this](const Sequence& candidate) { return Fails(candidate); }, [this] { return runs_ > 0; });
    for (std::size_t step = 0; step < best_.size(); ++step) {
      while (LessenInput(step)) continue;
    }
    return std::move(best_);
  }

 private:
  bool Fails(const Sequence& candidate) { return runs_-- > 0 && fails_(candidate); }

  // Makes the input of the step plainer, and of those that are the same as it. Whether there was a way.
  bool LessenInput(std::size_t step) {
    const TestStep before = best_[step];
    if (!before.has_input()) return false;
    for (Value& input : Plainer(before.input())) {
      if (runs_ <= 0) return false;
      Sequence candidate = best_;
      for (TestStep& each : candidate) {
        if (MessageDifferencer::Equals(each, before)) *each.mutable_input() = input;
      }
      if (!Fails(candidate)) continue;
      best_ = std::move(candidate);
      return true;
    }
    return false;
  }

  Sequence best_;
  const std::function<bool(const Sequence&)>& fails_;
  int runs_;  // that are left
};

}  // namespace

std::vector<Value> Plainer(const Value& value) {
  std::vector<Value> plainer;
  switch (value.kind_case()) {
    case Value::kStringValue:
      AddText(value.string_value(), plainer);
      break;
    case Value::kNumberValue:
      AddNumber(value.number_value(), plainer);
      break;
    case Value::kBoolValue:
      if (value.bool_value()) plainer.emplace_back().set_bool_value(false);
      break;
    case Value::kStructValue:
      AddStruct(value, plainer);
      break;
    case Value::kListValue:
      AddList(value, plainer);
      break;
    case Value::kNullValue:
    case Value::KIND_NOT_SET:
      break;
  }
  return plainer;
}

Sequence Shrink(Sequence sequence, const std::function<bool(const Sequence&)>& fails, int most_runs) {
  return Shrinker(std::move(sequence), fails, most_runs).Run();
}

}  // namespace cloudstate::fuzzing
