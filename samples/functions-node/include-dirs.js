// Where proto files are found: here, and descriptor.proto in protobufjs. The library expects that one from the compiler that
// its install script would fetch.
const path = require("path");

const protobufjs = path.dirname(require.resolve("protobufjs/package.json", { paths: [require.resolve("cloudstate")] }));
module.exports.includeDirs = [__dirname, protobufjs];
