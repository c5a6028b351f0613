#include "tests/bench/slow_reader.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <future>

#include "absl/strings/str_cat.h"
#include "tests/bench/model_calls.h"

namespace cloudstate::bench {
namespace {

constexpr std::size_t kBytes = 4096;

class Reader final : public SlowReader, public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit Reader(const std::string& address)
      : stub_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())) {
    const grpc::Slice slice(ActionMessage(kBytes));
    message_ = grpc::ByteBuffer(&slice, 1);
    stub_.PrepareBidiStreamingCall(&context_, "/cloudstate.tck.model.action.ActionTckModel/ProcessStreamed", {}, this);
    AddHold();  // reading begins outside of gRPC's callbacks
    StartWrite(&message_);
    StartCall();
  }

  ~Reader() override {
    if (!reading_) RemoveHold();
    context_.TryCancel();
    ended_.get_future().wait();
  }

  std::uint64_t written() const override { return written_; }

  absl::StatusOr<std::uint64_t> ReadAll() override {
    stopping_ = true;
    reading_ = true;
    StartRead(&answer_);
    RemoveHold();
    const grpc::Status status = status_.get_future().get();
    if (!status.ok()) return absl::UnknownError(status.error_message());
    if (read_ != written_) return absl::DataLossError(absl::StrCat(written_.load(), " written, ", read_, " read"));
    return read_;
  }

 private:
  void OnWriteDone(bool ok) override {
    if (!ok) return;
    ++written_;
    if (stopping_) {
      StartWritesDone();
    } else {
      StartWrite(&message_);
    }
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    ++read_;
    StartRead(&answer_);
  }

  void OnDone(const grpc::Status& status) override {
    status_.set_value(status);
    ended_.set_value();
  }

  grpc::ClientContext context_;
  grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer> stub_;
  grpc::ByteBuffer message_;
  grpc::ByteBuffer answer_;
  std::atomic<std::uint64_t> written_ = 0;
  std::uint64_t read_ = 0;
  std::atomic<bool> stopping_ = false;
  bool reading_ = false;
  std::promise<grpc::Status> status_;
  std::promise<void> ended_;
};

}  // namespace

std::unique_ptr<SlowReader> SlowReader::Start(const std::string& address) { return std::make_unique<Reader>(address); }

}  // namespace cloudstate::bench
