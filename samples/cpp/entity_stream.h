#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "samples/cpp/workers.h"

namespace cloudstate::samples {

// Serves the stream of one entity that is stored, until the proxy half-closes it: hands what comes to a Session
// (event_sourced_session.h, value_entity_session.h). A proxy sends the next command only when it has the reply to the
// one before, so the stream never reads and writes at once, and no lock is needed.
template <typename Session>
class EntityStream final : public grpc::ServerBidiReactor<typename Session::In, typename Session::Out> {
 public:
  // gRPC owns what is returned, as it does with every reactor: it goes when the call has ended.
  // The workers, who take on its commands, outlive it.
  static EntityStream* Serve(Session session, Workers& workers) {
    auto stream = std::make_unique<EntityStream>(std::move(session), workers);
    stream->StartRead(&stream->in_);
    return stream.release();
  }

  EntityStream(Session session, Workers& workers) : session_(std::move(session)), workers_(workers) {}

  void OnReadDone(bool ok) override {
    if (!ok) return this->Finish(grpc::Status::OK);
    if (!in_.has_command()) return Handle();
    workers_.Take([this] { Handle(); });  // nothing is read or written meanwhile, so the stream stays
  }

  void OnWriteDone(bool ok) override {
    if (!ok || ending_) return this->Finish(grpc::Status::OK);
    this->StartRead(&in_);
  }

  void OnDone() override { delete this; }

 private:
  void Handle() {
    out_.Clear();
    if (absl::Status status = session_.Handle(in_, out_); !status.ok()) return End(status);
    if (out_.has_reply()) {
      this->StartWrite(&out_);
    } else {
      this->StartRead(&in_);
    }
  }

  void End(const absl::Status& status) {
    out_.Clear();
    auto& failure = *out_.mutable_failure();
    failure.set_command_id(in_.has_command() ? in_.command().id() : 0);
    failure.set_description(std::string(status.message()));
    ending_ = true;
    this->StartWrite(&out_);
  }

  Session session_;
  Workers& workers_;
  bool ending_ = false;
  typename Session::In in_;
  typename Session::Out out_;
};

}  // namespace cloudstate::samples
