#include "emulator/simulation/trace_log.h"

#include "absl/strings/str_cat.h"
#include "cloudstate/cluster/wire.pb.h"

namespace cloudstate::simulation {
namespace {

using cluster::wire::Packet;
using cluster::wire::Segment;

std::string Describe(const Segment& segment) {
  const std::string number =
      segment.sequence() == 0 ? "" : absl::StrCat(" segment ", segment.sequence(), ", acknowledges ");
  const std::string acknowledged = absl::StrCat(number.empty() ? " acknowledges " : number, segment.acknowledged());
  switch (segment.content_case()) {
    case Segment::kCommand:
      return absl::StrCat("command ", segment.command().id(), " ", segment.command().method(), " ",
                          segment.command().entity_id(), acknowledged);
    case Segment::kOutcome:
      return absl::StrCat("outcome of command ", segment.outcome().id(), ", code ", segment.outcome().code(),
                          acknowledged);
    case Segment::kReplication:
      return absl::StrCat("replication of ", segment.replication().changes_size(), " changes, ",
                          segment.replication().digests_size(), " digests", acknowledged);
    case Segment::CONTENT_NOT_SET:
      return acknowledged.substr(1);
  }
  return "";
}

std::string Describe(const Packet& packet) {
  switch (packet.content_case()) {
    case Packet::kHeartbeat:
      return absl::StrCat("heartbeat", packet.heartbeat().unheard_size() == 0
                                           ? ""
                                           : absl::StrCat(", does not hear ", packet.heartbeat().unheard_size()));
    case Packet::kGossip:
      return absl::StrCat("gossip of ", packet.gossip().members_size(), " members, ", packet.gossip().shards_size(),
                          " shards");
    case Packet::kSegment:
      return Describe(packet.segment());
    case Packet::CONTENT_NOT_SET:
      return "nothing";
  }
  return "";
}

}  // namespace

std::string DescribeMessage(cluster::NodeId from, cluster::NodeId to, absl::string_view fate,
                            const std::string& bytes) {
  Packet packet;
  const std::string what = packet.ParseFromString(bytes) ? Describe(packet) : "no message";
  return absl::StrCat("net     ", ToString(from), "/", packet.from_incarnation(), " > ", ToString(to), " ", fate, ": ",
                      what);
}

}  // namespace cloudstate::simulation
