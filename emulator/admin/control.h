#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/testing.pb.h"

namespace cloudstate::admin {

// What users' tests do to a running emulator: the service Testing, but for what only reads. The errors are those of the
// contract. Any thread; answers come on any thread, once.
class Control {
 public:
  virtual ~Control() = default;

  template <class Response>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

  virtual void Reset(const dev::v1::ResetRequest& request, Done<dev::v1::ResetResponse> done) = 0;
  virtual void Seed(const dev::v1::SeedRequest& request, Done<dev::v1::SeedResponse> done) = 0;
  virtual void Evict(const dev::v1::EvictRequest& request, Done<dev::v1::EvictResponse> done) = 0;
  virtual void SaveState(const dev::v1::SaveStateRequest& request, Done<dev::v1::SavedState> done) = 0;
  virtual void RestoreState(const dev::v1::RestoreStateRequest& request, Done<dev::v1::SavedState> done) = 0;
  virtual void ListStates(const dev::v1::ListStatesRequest& request, Done<dev::v1::ListStatesResponse> done) = 0;
  virtual void Wait(const dev::v1::WaitRequest& request, Done<dev::v1::WaitResponse> done) = 0;
  virtual void AdvanceTime(const dev::v1::AdvanceTimeRequest& request, Done<dev::v1::AdvanceTimeResponse> done) = 0;
  virtual void InjectFault(const dev::v1::InjectFaultRequest& request, Done<dev::v1::Fault> done) = 0;
  virtual void ListFaults(const dev::v1::ListFaultsRequest& request, Done<dev::v1::ListFaultsResponse> done) = 0;
  virtual void ClearFaults(const dev::v1::ClearFaultsRequest& request, Done<dev::v1::ListFaultsResponse> done) = 0;
  virtual void GetTypes(const dev::v1::GetTypesRequest& request, Done<dev::v1::Types> done) = 0;
};

}  // namespace cloudstate::admin
