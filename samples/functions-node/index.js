process.chdir(__dirname); // the library looks for user-function.desc where it runs
const { CloudState } = require("cloudstate");
const parcels = require("./parcels");
const { shipping } = require("./shipping");

new CloudState().addEntity(shipping, parcels).start({
  bindAddress: process.env.HOST || "127.0.0.1",
  bindPort: Number(process.env.PORT || 8080),
});
