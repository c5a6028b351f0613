#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "samples/cpp/answer.h"

namespace google::protobuf {
class FileDescriptor;
}

namespace cloudstate::valueentity {
class ValueEntityReply;
}

namespace cloudstate::samples {

// What a value entity may do with one command.
class ValueEntityContext : public Answer<valueentity::ValueEntityReply> {
 public:
  // `state` may be null.
  ValueEntityContext(std::string_view entity_id, const google::protobuf::Any* state,
                     valueentity::ValueEntityReply& reply)
      : Answer(reply), entity_id_(entity_id), state_(state) {}

  std::string_view entity_id() const { return entity_id_; }

  // The value as this command has left it so far. Null: there is none, since the entity is new or was deleted. Holds
  // until the next Update or Delete.
  const google::protobuf::Any* state() const { return state_; }

  // The value is stored before the client hears anything. The last Update or Delete counts.
  void Update(const google::protobuf::Message& value);
  void Delete();

 private:
  std::string_view entity_id_;
  const google::protobuf::Any* state_;
};

// A service of which every entity has one value.
struct ValueEntityService {
  std::string service_name;  // full name, as in its proto file
  std::string persistence_id;
  absl::Duration passivation_timeout = absl::InfiniteDuration();  // infinite: as the proxy likes
  // The file of the service, and that of the value. What they import comes along.
  std::vector<const google::protobuf::FileDescriptor*> files;
  // Any thread; several at once, for different entities. A status other than OK means that the command or the value
  // cannot be understood: it ends the stream.
  std::function<absl::Status(const std::string& name, const google::protobuf::Any& payload,
                             ValueEntityContext& context)>
      on_command;
};

}  // namespace cloudstate::samples
