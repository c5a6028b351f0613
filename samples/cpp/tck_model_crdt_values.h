#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "cloudstate/tck/model/crdt.pb.h"
#include "samples/cpp/crdt_values.h"

namespace cloudstate::samples {

// An empty CRDT of the type that the model's names begin with: `GCounter-1` is a GCounter. Null: there is no such type.
std::optional<Crdt> NamedCrdt(const std::string& name);

// Does to the CRDT what the model is asked to. Another status than OK when that is not possible.
absl::Status UpdateCrdt(const tck::model::crdt::Update& update, Crdt& crdt);

// The CRDT as the model answers it, with elements and entries in the order of their texts.
tck::model::crdt::State StateOf(const Crdt& crdt);

}  // namespace cloudstate::samples
