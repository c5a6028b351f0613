#include "emulator/runtime/noting_observer.h"

#include "absl/strings/str_cat.h"
#include "cloudstate/dev/v1/scaling.pb.h"
#include "emulator/runtime/observer_texts.h"
#include "emulator/scaling/scaling_events.h"

namespace cloudstate::runtime {

using base::LogLevel;

void NotingObserver::OnListening(const Emulator& emulator) {
  Note(LogLevel::kInfo, absl::StrCat("clients call ", emulator.client_address(), ", tools ", emulator.admin_address()));
  observer_.OnListening(emulator);
}

void NotingObserver::OnReady(const userfunction::Specification& specification) {
  const ServiceInfo& info = specification.info;
  std::string text = "the user function is ready:";
  for (const std::string* part :
       {&info.service_name(), &info.service_version(), &info.support_library_name(), &info.support_library_version()}) {
    if (!part->empty()) absl::StrAppend(&text, " ", *part);
  }
  Note(LogLevel::kInfo, absl::StrCat(text, ", services: ", specification.services.size()));
  observer_.OnReady(specification);
}

void NotingObserver::OnLost(const std::string& reason) {
  Note(LogLevel::kWarning, absl::StrCat("the user function was lost: ", reason));
  observer_.OnLost(reason);
}

void NotingObserver::OnRejected(const std::string& problem) {
  Note(LogLevel::kError, RejectedText(problem));
  observer_.OnRejected(problem);
}

void NotingObserver::OnTrouble(const std::string& trouble) {
  Note(LogLevel::kWarning, trouble);
  observer_.OnTrouble(trouble);
}

void NotingObserver::OnComplaint(const std::string& complaint) {
  Note(LogLevel::kError, complaint);
  observer_.OnComplaint(complaint);
}

void NotingObserver::OnStarted(const std::string& label, int pid, int restarts) {
  Note(LogLevel::kInfo, StartedText(label, pid, restarts));
  observer_.OnStarted(label, pid, restarts);
}

void NotingObserver::OnEnded(const std::string& label, const std::string& how, absl::Duration again_in) {
  Note(again_in > absl::ZeroDuration() ? LogLevel::kWarning : LogLevel::kInfo, EndedText(label, how, again_in));
  observer_.OnEnded(label, how, again_in);
}

void NotingObserver::OnChanged(const std::string& path) {
  Note(LogLevel::kInfo, ChangedText(path));
  observer_.OnChanged(path);
}

void NotingObserver::OnOutput(std::string_view line) {
  book_.Add(LogBook::Source::kUserFunction, LogLevel::kInfo, line);
  observer_.OnOutput(line);
}

void NotingObserver::OnScaling(const dev::v1::ScalingEvent& event) {
  if (event.kind() != scaling::ScalingEvents::kTick) Note(LogLevel::kInfo, event.text());
  observer_.OnScaling(event);
}

void NotingObserver::Note(LogLevel level, const std::string& text) {
  book_.Add(LogBook::Source::kEmulator, level, text);
}

}  // namespace cloudstate::runtime
