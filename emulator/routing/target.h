#pragma once

#include <memory>
#include <string>

#include "emulator/journal/journal.h"
#include "emulator/routing/client_call.h"
#include "emulator/serving/backend.h"

namespace cloudstate::routing {

// How a command that no client sent came about.
struct Origin {
  absl::string_view how;  // "forwarded from" or "side-effect of"
  std::string command;    // "Service.Method"
  std::shared_ptr<const Origin> before;
  std::size_t depth = 1;
};

// A command to be brought to what answers it.
struct Target {
  std::shared_ptr<ClientCall> call;  // that led here
  std::string service;
  std::string method;
  journal::Payload payload;
  std::shared_ptr<serving::RequestStream> requests;  // instead of the payload, where the client streams
  Metadata metadata;
  std::shared_ptr<const Origin> origin;   // null for the client's own
  std::shared_ptr<const bool> abandoned;  // never for side effects
  trace::CommandNumber number = trace::kClientsCommand;

  // The client waits for its outcome; else it is a side effect, or was caused by one.
  bool ForClient() const { return abandoned == call->abandoned(); }
  std::string Name() const;
  // A line for each step back to the client's command.
  std::string HowItCameAbout() const;
  // The command that this one causes, still without payload and metadata.
  Target Next(trace::CommandOrigin how, const std::string& next_service, const std::string& next_method) const;
};

}  // namespace cloudstate::routing
