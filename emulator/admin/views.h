#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/crdt.pb.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/admin/payload_decoder.h"
#include "emulator/base/proto_time.h"
#include "emulator/journal/browse.h"
#include "emulator/trace/trace.h"

namespace cloudstate::admin {

// As the contract shows it.
dev::v1::Entity ToEntity(const journal::EntityRow& row);

// A journal as the admin contract shows it; the same for a running emulator's and for a file. Blocks on the disk. For
// one thread. Errors are INVALID_ARGUMENT for bad requests, NOT_FOUND for entities without a trace in the journal, and
// the browser's.
class Views {
 public:
  // Both outlive this object.
  Views(journal::Browser& browser, PayloadDecoder& decoder) : browser_(browser), decoder_(decoder) {}

  absl::StatusOr<dev::v1::ListEntitiesResponse> ListEntities(const dev::v1::ListEntitiesRequest& request);
  absl::StatusOr<dev::v1::Entity> GetEntity(const dev::v1::GetEntityRequest& request);
  absl::StatusOr<dev::v1::ListEventsResponse> ListEvents(const dev::v1::ListEventsRequest& request);
  absl::StatusOr<dev::v1::ListSnapshotsResponse> ListSnapshots(const dev::v1::ListSnapshotsRequest& request);
  absl::StatusOr<dev::v1::ListNewestEventsResponse> ListNewestEvents(const dev::v1::ListNewestEventsRequest& request);

  // Up to `limit` events behind `position`, fewer large ones, and the position to go on from.
  struct Following {
    std::vector<dev::v1::Event> events;
    std::int64_t position = 0;
    bool complete = true;  // there were no more at this moment
  };
  absl::StatusOr<Following> EventsAfter(std::int64_t position, const dev::v1::EventFilter& filter, int limit);
  absl::StatusOr<std::int64_t> LastPosition() { return browser_.LastPosition(); }
  absl::StatusOr<std::int64_t> CountEvents() { return browser_.CountEvents(); }

  // As the browser says: what an entity is replayed from if `until` is its last event.
  absl::StatusOr<journal::Replay> LoadUntil(const journal::EntityKey& key, journal::SequenceNumber until,
                                            std::optional<journal::SequenceNumber> after, std::size_t max_bytes) {
    return browser_.LoadUntil(key, until, after, max_bytes);
  }
  // By the types that were there at the last RefreshTypes.
  dev::v1::Payload Decode(const journal::Payload& payload) const { return decoder_.Decode(payload); }

  absl::StatusOr<dev::v1::CommandTrace> Trace(const trace::Trace& trace);

  // Fill in what payloads mean, and the texts that tell it.
  absl::Status Describe(dev::v1::ListCrdtsResponse& listed);
  absl::Status Describe(dev::v1::CrdtDetail& detail);
  // By the types that were there at the last RefreshTypes: events may be many.
  void Describe(dev::v1::CrdtEvent& event) const;
  absl::Status RefreshTypes();

 private:
  dev::v1::Event Event(const journal::EventRow& row) const;

  journal::Browser& browser_;
  PayloadDecoder& decoder_;
};

// Without steps, and thus without types and the journal. Any thread.
dev::v1::CommandTrace BriefTrace(const trace::Trace& trace);

// Whether the client's command, or one that it caused, is what the filter asks for.
bool Matches(const dev::v1::CommandFilter& filter, const trace::Trace& trace);

// What a request for so many items gets: 100 when it asks for none, 1,000 at most. INVALID_ARGUMENT below 0.
absl::StatusOr<int> PageSize(int asked);

using base::FromDuration;
using base::FromTimestamp;
using base::ToDuration;
using base::ToTimestamp;

}  // namespace cloudstate::admin
