#include "cmd/cloudstate-dev/journal_source.h"

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/admin/payload_decoder.h"
#include "emulator/admin/views.h"
#include "emulator/journal/sqlite_browser.h"
#include "emulator/journal/sqlite_journal.h"

namespace cloudstate::cli {
namespace {

using dev::v1::Emulator;

// Asks the emulator. What it can't describe, the files of --descriptor may.
class RunningJournal final : public JournalSource {
 public:
  RunningJournal(std::unique_ptr<Client> client, admin::PayloadDecoder decoder)
      : client_(std::move(client)), decoder_(std::move(decoder)) {}

  absl::StatusOr<dev::v1::ListEntitiesResponse> ListEntities(const dev::v1::ListEntitiesRequest& request) override {
    return client_->Call(&Emulator::Stub::ListEntities, request);
  }
  absl::StatusOr<dev::v1::Entity> GetEntity(const dev::v1::GetEntityRequest& request) override {
    return client_->Call(&Emulator::Stub::GetEntity, request);
  }
  absl::StatusOr<dev::v1::ListEventsResponse> ListEvents(const dev::v1::ListEventsRequest& request) override {
    return Described(client_->Call(&Emulator::Stub::ListEvents, request));
  }
  absl::StatusOr<dev::v1::ListSnapshotsResponse> ListSnapshots(const dev::v1::ListSnapshotsRequest& request) override {
    return Described(client_->Call(&Emulator::Stub::ListSnapshots, request));
  }
  absl::StatusOr<dev::v1::ListNewestEventsResponse> ListNewestEvents(
      const dev::v1::ListNewestEventsRequest& request) override {
    return Described(client_->Call(&Emulator::Stub::ListNewestEvents, request));
  }
  absl::Status Watch(const dev::v1::WatchEventsRequest& request,
                     const std::function<void(dev::v1::Event&)>& on_event) override {
    return client_->Follow<dev::v1::WatchEventsRequest, dev::v1::Event>(&Emulator::Stub::WatchEvents, request,
                                                                        [&](dev::v1::Event& event) {
                                                                          Describe(event);
                                                                          on_event(event);
                                                                        });
  }

 private:
  void Describe(google::protobuf::Message& message) const {
    ForEachPayload(message, [this](dev::v1::Payload& payload) {
      if (!payload.described()) payload = decoder_.Decode({payload.type_url(), payload.value()});
    });
  }

  template <class Response>
  absl::StatusOr<Response> Described(absl::StatusOr<Response> response) const {
    if (response.ok()) Describe(*response);
    return response;
  }

  std::unique_ptr<Client> client_;
  admin::PayloadDecoder decoder_;
};

// Reads the file.
class FileJournal final : public JournalSource {
 public:
  FileJournal(std::unique_ptr<journal::Browser> browser, admin::PayloadDecoder decoder)
      : browser_(std::move(browser)), decoder_(std::move(decoder)), views_(*browser_, decoder_) {}

  absl::StatusOr<dev::v1::ListEntitiesResponse> ListEntities(const dev::v1::ListEntitiesRequest& request) override {
    return views_.ListEntities(request);
  }
  absl::StatusOr<dev::v1::Entity> GetEntity(const dev::v1::GetEntityRequest& request) override {
    return views_.GetEntity(request);
  }
  absl::StatusOr<dev::v1::ListEventsResponse> ListEvents(const dev::v1::ListEventsRequest& request) override {
    return views_.ListEvents(request);
  }
  absl::StatusOr<dev::v1::ListSnapshotsResponse> ListSnapshots(const dev::v1::ListSnapshotsRequest& request) override {
    return views_.ListSnapshots(request);
  }
  absl::StatusOr<dev::v1::ListNewestEventsResponse> ListNewestEvents(
      const dev::v1::ListNewestEventsRequest& request) override {
    return views_.ListNewestEvents(request);
  }

  // Nobody tells of commits, and an emulator may start at any time: so the file is looked at again and again.
  absl::Status Watch(const dev::v1::WatchEventsRequest& request,
                     const std::function<void(dev::v1::Event&)>& on_event) override {
    for (std::int64_t position = request.after_position();;) {
      absl::StatusOr<admin::Views::Following> following = views_.EventsAfter(position, request.filter(), kEventsAtOnce);
      if (!following.ok()) return following.status();
      for (dev::v1::Event& event : following->events) on_event(event);
      position = following->position;
      if (following->complete) std::this_thread::sleep_for(kLookAgain);
    }
  }

 private:
  static constexpr int kEventsAtOnce = 100;
  static constexpr std::chrono::milliseconds kLookAgain{200};

  std::unique_ptr<journal::Browser> browser_;
  admin::PayloadDecoder decoder_;
  admin::Views views_;
};

absl::StatusOr<admin::PayloadDecoder> MakeDecoder(const std::vector<std::string>& files) {
  admin::PayloadDecoder decoder;
  for (const std::string& file : files) {
    absl::StatusOr<std::string> set = admin::ReadDescriptorFile(file);
    if (!set.ok()) return set.status();
    if (absl::Status status = decoder.Add(*set); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("The types in ", file, " can't be used: ", status.message()));
    }
  }
  return decoder;
}

}  // namespace

absl::StatusOr<std::unique_ptr<JournalSource>> JournalSource::Open(const Settings& settings) {
  absl::StatusOr<admin::PayloadDecoder> decoder = MakeDecoder(settings.descriptors);
  if (!decoder.ok()) return decoder.status();
  absl::StatusOr<std::optional<std::string>> emulator = FindEmulator(settings);
  if (!emulator.ok()) return emulator.status();
  if (emulator->has_value()) {
    absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(**emulator);
    if (!client.ok()) return client.status();
    return std::make_unique<RunningJournal>(*std::move(client), *std::move(decoder));
  }
  absl::StatusOr<std::unique_ptr<journal::SqliteBrowser>> browser =
      journal::SqliteBrowser::Open(journal::JournalFileIn(settings.data_directory));
  if (absl::IsNotFound(browser.status())) {
    return absl::NotFoundError(
        absl::StrCat("No emulator runs here and ", settings.data_directory,
                     " holds no journal. Start one with `cloudstate-dev run`, or name another with "
                     "--admin or --data-dir."));
  }
  if (!browser.ok()) return browser.status();
  return std::make_unique<FileJournal>(*std::move(browser), *std::move(decoder));
}

int FailToOpen(const absl::Status& status) {
  const bool nothing_there = absl::IsNotFound(status) || absl::IsUnavailable(status);
  return Fail(status, nothing_there ? kNotFound : kFailed);
}

}  // namespace cloudstate::cli
