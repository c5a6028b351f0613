#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cloudstate/entity.pb.h"
#include "emulator/tck/conversation.h"
#include "emulator/tck/http_client.h"
#include "emulator/tck/interceptor.h"
#include "emulator/tck/link.h"
#include "emulator/tck/peer.h"
#include "emulator/userfunction/dialect.h"

namespace cloudstate::tck {

// Our emulator between clients and the user function, with an interceptor before the latter.
struct Stage {
  Link& clients;  // the emulator's client port
  Interceptor& interceptor;
};

// A message or an end that is expected to pass the interceptor.
struct ExpectedPass {
  std::size_t call = 0;
  Passed::What what = Passed::What::kToUserFunction;
  std::shared_ptr<const google::protobuf::Message> message = nullptr;  // shared by copies; null for an end
};
ExpectedPass ToUserFunction(std::size_t call, const google::protobuf::Message& message);
ExpectedPass ToProxy(std::size_t call, const google::protobuf::Message& message);
ExpectedPass HalfClosed(std::size_t call);
ExpectedPass Cancelled(std::size_t call);
ExpectedPass Ended(std::size_t call);

// What one case drives, in blocking verbs that throw CaseFailure where things are not as expected.
class Driver {
 public:
  struct Surroundings {
    Link& user_function;
    userfunction::Dialect dialect = userfunction::Dialect::k0_2;
    const EntitySpec& specification;  // what the user function answered to discovery
    Stage* stage = nullptr;           // null unless the case drives the emulator
  };

  Driver(const Surroundings& surroundings, Conversation& conversation);

  // What every case ends with: nothing more may come than what was expected.
  void Finish();

  // ---- the user function itself

  Peer& user_function() { return user_function_; }
  const EntitySpec& specification() const { return surroundings_.specification; }
  userfunction::Dialect dialect() const { return surroundings_.dialect; }
  // "/cloudstate.action.ActionProtocol/" and `name`, or what the older dialect has in its place.
  std::string ActionMethod(std::string_view name) const;

  // ---- through the emulator, in cases that have one

  Peer& client();
  const Interceptor& interceptor() const { return surroundings_.stage->interceptor; }
  // What passes next between emulator and user function, in this order.
  void ExpectOnWire(const std::vector<ExpectedPass>& expected);
  // The same where calls of their own are not in step.
  void ExpectOnWireInAnyOrder(std::vector<ExpectedPass> expected);
  // Nothing passes now.
  void ExpectQuietOnWire();
  // Whatever else passes in this case is as good as anything: how a call that has failed on both sides ends, say.
  void IgnoreRestOnWire();
  // What the user function says next, whatever it is, is this on its way to the emulator; or what it says after so many
  // other messages.
  void Replace(const google::protobuf::Message& message, std::size_t before = 0);
  // Between the two, what the user function says on this call does not get to the emulator, and is not on the wire yet.
  void HoldAnswers(std::size_t call);
  void ReleaseAnswers();
  // The emulator reports something to the user function that ends with this.
  void ExpectReport(std::string_view end);
  // One HTTP request to the client port: status and body are exactly these.
  void ExpectHttp(const HttpRequest& request, const HttpAnswer& expected);

  // Notes `step`.
  void Note(std::string step) { conversation_.Note(std::move(step)); }

 private:
  // What passes next is one of these; its index.
  std::ptrdiff_t ExpectOneOf(const std::vector<ExpectedPass>& expected);
  [[noreturn]] void ThrowUnexpected(const std::vector<Passed>& passed);

  const Surroundings surroundings_;
  Conversation& conversation_;
  Peer user_function_;
  std::unique_ptr<Peer> client_;
};

}  // namespace cloudstate::tck
