#pragma once

#include "emulator/admin/control.h"

namespace cloudstate::admin {

// Says OK to everything and does nothing: for tests of the other services.
class IdleControl : public Control {
 public:
  void Reset(const dev::v1::ResetRequest&, Done<dev::v1::ResetResponse> done) override {
    done(dev::v1::ResetResponse());
  }
  void Seed(const dev::v1::SeedRequest&, Done<dev::v1::SeedResponse> done) override { done(dev::v1::SeedResponse()); }
  void Evict(const dev::v1::EvictRequest&, Done<dev::v1::EvictResponse> done) override {
    done(dev::v1::EvictResponse());
  }
  void SaveState(const dev::v1::SaveStateRequest&, Done<dev::v1::SavedState> done) override {
    done(dev::v1::SavedState());
  }
  void RestoreState(const dev::v1::RestoreStateRequest&, Done<dev::v1::SavedState> done) override {
    done(dev::v1::SavedState());
  }
  void ListStates(const dev::v1::ListStatesRequest&, Done<dev::v1::ListStatesResponse> done) override {
    done(dev::v1::ListStatesResponse());
  }
  void Wait(const dev::v1::WaitRequest&, Done<dev::v1::WaitResponse> done) override { done(dev::v1::WaitResponse()); }
  void AdvanceTime(const dev::v1::AdvanceTimeRequest&, Done<dev::v1::AdvanceTimeResponse> done) override {
    done(dev::v1::AdvanceTimeResponse());
  }
  void InjectFault(const dev::v1::InjectFaultRequest&, Done<dev::v1::Fault> done) override { done(dev::v1::Fault()); }
  void ListFaults(const dev::v1::ListFaultsRequest&, Done<dev::v1::ListFaultsResponse> done) override {
    done(dev::v1::ListFaultsResponse());
  }
  void ClearFaults(const dev::v1::ClearFaultsRequest&, Done<dev::v1::ListFaultsResponse> done) override {
    done(dev::v1::ListFaultsResponse());
  }
  void GetTypes(const dev::v1::GetTypesRequest&, Done<dev::v1::Types> done) override { done(dev::v1::Types()); }
};

}  // namespace cloudstate::admin
