#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "google/protobuf/message.h"

namespace cloudstate::tck {

// Something that passed between a proxy and a user function on a call of a kind of entity or of actions.
struct Passed {
  enum class What {
    kToUserFunction,  // a message
    kToProxy,         // a message
    kHalfClosed,      // by the proxy; told where the proxy may send more than one message
    kCancelled,       // by the proxy, or the connection broke
    kEnded,           // by the user function; told where it may send more than one message, or answered none
  };

  std::size_t call = 0;  // 0, 1, 2… in the order of opening
  What what = What::kToUserFunction;
  std::string method = {};   // the call's path
  std::string message = {};  // serialized; for an end that is an error its text
};

// Of a method's calls: what they are made of, and which sides may send more than one message.
struct MethodKind {
  const google::protobuf::Message* in;
  const google::protobuf::Message* out;
  bool streamed_in;
  bool streamed_out;
};

// The kind of the method with this path; null if it is none of a kind of entity or of actions.
const MethodKind* KindOf(const std::string& method);

// The message that `passed` carries, of the type that its method and direction have in protocol 0.2, which reads 0.1 as
// well; null for an end, for a method of no kind that is known, and for bytes that are no such message.
std::unique_ptr<google::protobuf::Message> ParsePassed(const Passed& passed);

// "#0 to the user function", "#1 half-closed by the proxy".
std::string DescribePassed(const Passed& passed);

}  // namespace cloudstate::tck
