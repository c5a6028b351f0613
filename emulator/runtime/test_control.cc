#include "emulator/runtime/test_control.h"

namespace cloudstate::runtime {

void TestControl::Reset(const dev::v1::ResetRequest&, Done<dev::v1::ResetResponse> done) {
  done(absl::UnimplementedError("not built yet"));
}

void TestControl::Seed(const dev::v1::SeedRequest&, Done<dev::v1::SeedResponse> done) {
  done(absl::UnimplementedError("not built yet"));
}

void TestControl::Evict(const dev::v1::EvictRequest&, Done<dev::v1::EvictResponse> done) {
  done(absl::UnimplementedError("not built yet"));
}

void TestControl::SaveState(const dev::v1::SaveStateRequest&, Done<dev::v1::SavedState> done) {
  done(absl::UnimplementedError("not built yet"));
}

void TestControl::RestoreState(const dev::v1::RestoreStateRequest&, Done<dev::v1::SavedState> done) {
  done(absl::UnimplementedError("not built yet"));
}

void TestControl::ListStates(const dev::v1::ListStatesRequest&, Done<dev::v1::ListStatesResponse> done) {
  done(absl::UnimplementedError("not built yet"));
}

void TestControl::Wait(const dev::v1::WaitRequest&, Done<dev::v1::WaitResponse> done) {
  done(absl::UnimplementedError("not built yet"));
}

void TestControl::AdvanceTime(const dev::v1::AdvanceTimeRequest&, Done<dev::v1::AdvanceTimeResponse> done) {
  done(absl::UnimplementedError("not built yet"));
}

void TestControl::InjectFault(const dev::v1::InjectFaultRequest&, Done<dev::v1::Fault> done) {
  done(absl::UnimplementedError("not built yet"));
}

void TestControl::ListFaults(const dev::v1::ListFaultsRequest&, Done<dev::v1::ListFaultsResponse> done) {
  done(absl::UnimplementedError("not built yet"));
}

void TestControl::ClearFaults(const dev::v1::ClearFaultsRequest&, Done<dev::v1::ListFaultsResponse> done) {
  done(absl::UnimplementedError("not built yet"));
}

void TestControl::GetTypes(const dev::v1::GetTypesRequest&, Done<dev::v1::Types> done) {
  done(absl::UnimplementedError("not built yet"));
}

}  // namespace cloudstate::runtime
