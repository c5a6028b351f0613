#pragma once

#include <ostream>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "emulator/cluster/node_id.h"
#include "emulator/simulation/virtual_strand.h"

namespace cloudstate::simulation {

// The text of a run: a line for everything that happens, with its time since the beginning.
class TraceLog {
 public:
  // `out` may be null: then nothing is written.
  TraceLog(std::ostream* out, const VirtualStrand& strand) : out_(out), strand_(strand) {}

  bool on() const { return out_ != nullptr; }
  void Line(absl::string_view text) const {
    if (out_ == nullptr) return;
    *out_ << absl::StreamFormat("%12.6f  %s\n", absl::ToDoubleSeconds(strand_.Now() - VirtualStrand::Beginning()),
                                text);
  }

 private:
  std::ostream* const out_;
  const VirtualStrand& strand_;
};

// What a message between nodes says, for the trace.
std::string DescribeMessage(cluster::NodeId from, cluster::NodeId to, absl::string_view fate, const std::string& bytes);

}  // namespace cloudstate::simulation
