// The cloudstate library asks for the native grpc module, which is retired and builds on no current Node. This is the same
// interface over its successor, which binds asynchronously where the old one told the port at once.
process.env.GRPC_NODE_DEBUG_SEND_ERROR_DETAILS = "true"; // tells the caller what a function has thrown
const grpc = require("@grpc/grpc-js");

class Server extends grpc.Server {
  bind(address, credentials) {
    this.bindAsync(address, credentials, (error) => {
      if (error) throw error;
    });
    return Number(address.slice(address.lastIndexOf(":") + 1));
  }

  start() {} // bindAsync has done it
}

module.exports = { ...grpc, Server };
