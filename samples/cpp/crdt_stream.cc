#include "samples/cpp/crdt_stream.h"

#include <memory>
#include <string>

namespace cloudstate::samples {

CrdtStream* CrdtStream::Serve(const std::vector<CrdtService>& services) {
  auto stream = std::make_unique<CrdtStream>(services);
  stream->StartRead(&stream->in_);
  return stream.release();
}

void CrdtStream::OnReadDone(bool ok) {
  if (!ok) return Finish(grpc::Status::OK);
  out_.clear();
  written_ = 0;
  if (absl::Status status = session_.Handle(in_, out_); !status.ok()) return End(status);
  WriteNext();
}

void CrdtStream::OnWriteDone(bool ok) {
  if (!ok || ending_) return Finish(grpc::Status::OK);
  ++written_;
  WriteNext();
}

void CrdtStream::WriteNext() {
  if (written_ == out_.size()) return StartRead(&in_);
  StartWrite(&out_[written_]);
}

void CrdtStream::End(const absl::Status& status) {
  out_.assign(1, {});
  Failure& failure = *out_.front().mutable_failure();
  failure.set_command_id(in_.has_command() ? in_.command().id() : 0);
  failure.set_description(std::string(status.message()));
  ending_ = true;
  StartWrite(&out_.front());
}

}  // namespace cloudstate::samples
