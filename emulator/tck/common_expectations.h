#pragma once

#include "cloudstate/entity.pb.h"
#include "emulator/tck/message_text.h"
#include "emulator/tck/peer.h"

namespace cloudstate::tck {

inline constexpr char kUnknownService[] = "cloudstate.tck.NoSuchService";
inline constexpr char kUnknownCommand[] = "NoSuchCommand";
inline constexpr char kHalfCloseHint[] =
    "The proxy half-closes the stream of an entity that is idle. Some older libraries leave it open: the emulator "
    "cancels "
    "such a stream after 2 s.";
inline constexpr char kRefusalHint[] =
    "A proxy that asks for what is not there must be told: by a failure, by an error that ends the call, or by its "
    "end.";

// What comes next on an entity's stream is a refusal: a failure, or the end of the call. After it nothing is checked on
// this stream. `Out` is the stream's message.
template <typename Out>
void ExpectRefusal(WireStream& stream) {
  const WireStream::Arrival arrival = stream.Take("a failure, or the end of the call");
  if (arrival.message.has_value()) {
    Out out;
    const bool refused =
        out.ParseFromString(*arrival.message) && (out.has_failure() || out.reply().client_action().has_failure());
    if (!refused) throw CaseFailure{"What came is no failure: " + MessageLine(out)};
  }
  stream.Cancel();
}

}  // namespace cloudstate::tck
