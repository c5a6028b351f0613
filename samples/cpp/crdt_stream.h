#pragma once

#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "samples/cpp/crdt_session.h"

namespace cloudstate::samples {

// Serves one CRDT entity's stream, until the proxy half-closes it. A message may have many answers, or none; the next
// one is read when all of them are written, so no lock is needed.
class CrdtStream final : public grpc::ServerBidiReactor<CrdtSession::In, CrdtSession::Out> {
 public:
  // gRPC owns what is returned, as it does with every reactor: it goes when the call has ended.
  static CrdtStream* Serve(const std::vector<CrdtService>& services);

  // Use Serve.
  explicit CrdtStream(const std::vector<CrdtService>& services) : session_(services) {}

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  void WriteNext();
  void End(const absl::Status& status);

  CrdtSession session_;
  bool ending_ = false;
  CrdtSession::In in_;
  std::vector<CrdtSession::Out> out_;
  std::size_t written_ = 0;  // of `out_`
};

}  // namespace cloudstate::samples
