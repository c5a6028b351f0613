const path = require("path");
const { crdt } = require("cloudstate");

const protos = path.resolve(__dirname, process.env.PROTOS || "../protos");
// Has google/protobuf/descriptor.proto, which the library expects from the compiler that its install script would fetch.
const protobufjs = path.dirname(require.resolve("protobufjs/package.json", { paths: [require.resolve("cloudstate")] }));

// A CRDT entity for `service`, whose value begins as `Type`. `extend` may give the value more to keep: it is called with
// each value, perhaps again with one that it knows.
function entity(proto, service, Type, commandHandlers, extend = () => {}) {
  const made = new crdt.Crdt(proto, service, {
    persistenceId: service.split(".").pop(),
    includeDirs: [protos, protobufjs],
  });
  made.defaultValue = () => new Type();
  made.onStateSet = extend;
  made.commandHandlers = commandHandlers;
  return made;
}

module.exports = entity;
