#include "emulator/entities/crdt_protocol.h"

#include <utility>

namespace cloudstate::entities {
namespace {

using crdt::CrdtDelta;
using crdt::CrdtStreamIn;
using crdt::CrdtStreamOut;

class CrdtProtocolV02 final : public CrdtProtocol {
 public:
  std::string Init(const std::string& service, const std::string& entity_id,
                   std::optional<CrdtDelta> whole) const override {
    CrdtStreamIn in;
    in.mutable_init()->set_service_name(service);
    in.mutable_init()->set_entity_id(entity_id);
    if (whole.has_value()) *in.mutable_init()->mutable_delta() = *std::move(whole);
    return in.SerializeAsString();
  }

  std::string FirstValue(CrdtDelta whole) const override { return Change(std::move(whole)); }

  std::string Change(CrdtDelta change) const override {
    CrdtStreamIn in;
    *in.mutable_delta() = std::move(change);
    return in.SerializeAsString();
  }

  std::string Deletion() const override {
    CrdtStreamIn in;
    in.mutable_delete_();
    return in.SerializeAsString();
  }

  std::string Command(cloudstate::Command command) const override {
    CrdtStreamIn in;
    *in.mutable_command() = std::move(command);
    return in.SerializeAsString();
  }

  std::string Cancellation(cloudstate::StreamCancelled cancelled) const override {
    CrdtStreamIn in;
    *in.mutable_stream_cancelled() = std::move(cancelled);
    return in.SerializeAsString();
  }

  absl::StatusOr<CrdtStreamOut> Parse(const std::string& message,
                                      const std::optional<crdt::Value>& /*known*/) const override {
    CrdtStreamOut out;
    if (!out.ParseFromString(message)) {
      return absl::InvalidArgumentError("a message on its stream was no cloudstate.crdt.CrdtStreamOut");
    }
    if (out.message_case() == CrdtStreamOut::MESSAGE_NOT_SET) {
      return absl::InvalidArgumentError("a message on its stream was empty");
    }
    return out;
  }
};

}  // namespace

const CrdtProtocol& CrdtProtocolOf(userfunction::Dialect dialect) {
  static const CrdtProtocolV02 kProtocol;
  return dialect == userfunction::Dialect::k0_1 ? CrdtProtocolV01() : kProtocol;
}

}  // namespace cloudstate::entities
