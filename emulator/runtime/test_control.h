#pragma once

#include "emulator/admin/control.h"
#include "emulator/base/strand.h"

namespace cloudstate::runtime {

// What users' tests do to an emulator. Any thread; the work is done on the strand.
class TestControl final : public admin::Control {
 public:
  // The references outlive this.
  explicit TestControl(base::Strand& strand) : strand_(strand) {}

  void Reset(const dev::v1::ResetRequest& request, Done<dev::v1::ResetResponse> done) override;
  void Seed(const dev::v1::SeedRequest& request, Done<dev::v1::SeedResponse> done) override;
  void Evict(const dev::v1::EvictRequest& request, Done<dev::v1::EvictResponse> done) override;
  void SaveState(const dev::v1::SaveStateRequest& request, Done<dev::v1::SavedState> done) override;
  void RestoreState(const dev::v1::RestoreStateRequest& request, Done<dev::v1::SavedState> done) override;
  void ListStates(const dev::v1::ListStatesRequest& request, Done<dev::v1::ListStatesResponse> done) override;
  void Wait(const dev::v1::WaitRequest& request, Done<dev::v1::WaitResponse> done) override;
  void AdvanceTime(const dev::v1::AdvanceTimeRequest& request, Done<dev::v1::AdvanceTimeResponse> done) override;
  void InjectFault(const dev::v1::InjectFaultRequest& request, Done<dev::v1::Fault> done) override;
  void ListFaults(const dev::v1::ListFaultsRequest& request, Done<dev::v1::ListFaultsResponse> done) override;
  void ClearFaults(const dev::v1::ClearFaultsRequest& request, Done<dev::v1::ListFaultsResponse> done) override;
  void GetTypes(const dev::v1::GetTypesRequest& request, Done<dev::v1::Types> done) override;

 private:
  base::Strand& strand_;
};

}  // namespace cloudstate::runtime
