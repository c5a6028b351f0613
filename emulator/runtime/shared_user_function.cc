#include "emulator/runtime/shared_user_function.h"

namespace cloudstate::runtime {

SharedUserFunction::SharedUserFunction(const Settings& settings, const UserFunctionPlace& place, base::Strand& strand,
                                       cluster::Cluster& cluster, routing::Gateway& gateway,
                                       journal::SqliteJournal& journal, FaultBook& faults, Observer& observer)
    : settings_(settings),
      cluster_(cluster),
      gateway_(gateway),
      observer_(observer),
      link_(settings, place, strand, journal, faults, observer,
            {.ready =
                 [this](std::shared_ptr<userfunction::Connection> connection,
                        std::shared_ptr<const userfunction::Specification> specification,
                        entities::ReplayFrom replay_from) {
                   cluster_.Connect(std::move(connection), specification, replay_from);
                   gateway_.Serve(specification);
                   observer_.OnReady(*specification);
                 },
             .lost =
                 [this](const absl::Status& reason) {
                   cluster_.Disconnect(reason);
                   gateway_.Suspend(reason);
                 }}) {}

void SharedUserFunction::MakeNodes() {
  gateway_.Suspend(link_.Unavailable("has not been reached yet"));
  cluster_.Start(settings_.nodes);
}

}  // namespace cloudstate::runtime
