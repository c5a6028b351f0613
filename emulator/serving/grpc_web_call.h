#pragma once

#include "emulator/serving/grpc_web.h"
#include "emulator/serving/http_form.h"
#include "emulator/serving/http_message.h"
#include "emulator/serving/http_site.h"

namespace cloudstate::serving {

// Reads a gRPC-Web call whose request is in `encoding`. What is wrong with it is told as gRPC-Web tells it, by a
// grpc-status; the answer is in the encoding that the Accept header names, else in the request's.
HttpCallOrRefusal ReadGrpcWebCall(HttpSite& site, const HttpMessage& message, const HttpRequest& request,
                                  GrpcWebEncoding encoding);

}  // namespace cloudstate::serving
