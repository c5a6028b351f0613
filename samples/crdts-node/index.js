process.chdir(__dirname); // the library looks for user-function.desc where it runs
const { CloudState } = require("cloudstate");
const chat = require("./chat");
const { counters, upDownCounters, hits } = require("./counters");
const presence = require("./presence");

new CloudState().addEntity(presence, chat, counters, upDownCounters, hits).start({
  bindAddress: process.env.HOST || "127.0.0.1",
  bindPort: Number(process.env.PORT || 8080),
});
