#include "samples/cpp/listening.h"

#include <chrono>

#include "absl/strings/str_cat.h"

namespace cloudstate::samples {

Listening::~Listening() {
  if (server_) server_->Shutdown(std::chrono::system_clock::now());
}

absl::Status Listening::Start(const std::string& address, std::initializer_list<grpc::Service*> services) {
  grpc::ServerBuilder builder;
  // Two servers on one port would share its connections; the second one should fail instead.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(-1);
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port_);
  for (grpc::Service* service : services) builder.RegisterService(service);
  server_ = builder.BuildAndStart();
  if (server_ && port_ != 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("Cannot listen on ", address,
                                             ". Is the port in use? Set HOST and PORT to an address that is free."));
}

}  // namespace cloudstate::samples
