#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "emulator/admin/reader_pool.h"
#include "emulator/serving/backend.h"

// From a call's bytes to its answer's.
namespace cloudstate::admin {

// The call's input; without one, the call has been ended.
template <class Request>
std::optional<Request> Parse(const serving::Call& call, serving::Responder& responder) {
  Request request;
  if (request.ParseFromString(call.payload)) return request;
  responder.Finish(absl::InvalidArgumentError(
      absl::StrCat("The request is no ", request.GetTypeName(), ". Do client and emulator have the same version?")));
  return std::nullopt;
}

template <class Response>
void Reply(serving::Responder& responder, const absl::StatusOr<Response>& response) {
  if (response.ok()) responder.Message(response->SerializeAsString());
  responder.Finish(response.status());
}

inline void ReadLater(ReaderPool& pool, const std::shared_ptr<serving::Responder>& answer, ReaderPool::Task task) {
  if (absl::Status taken = pool.TryPost(std::move(task)); !taken.ok()) answer->Finish(std::move(taken));
}

}  // namespace cloudstate::admin
