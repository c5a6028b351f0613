// A user function of the published Node library that tries to get markup into the dashboard at every place where it has a say.
// Runs in a folder with its descriptors, user-function.desc.
const path = require("path");
const { createRequire } = require("module");

const samples = path.resolve(__dirname, "../../../../samples");
const { CloudState, EventSourced, crdt } = createRequire(`${samples}/crdts-node/index.js`)("cloudstate");
const protobufjs = path.dirname(createRequire(`${samples}/crdts-node/node_modules/cloudstate/index.js`).resolve("protobufjs/package.json"));
const { IMAGE, SCRIPT, LINK, ATTRIBUTE, UNSEEN, everything } = require("./texts.cjs");

const includeDirs = [__dirname, `${samples}/protos`, protobufjs];
const marks = Object.fromEntries(everything.map((text) => [text, text]));

const notes = new EventSourced("hostile.proto", "hostile.Notes", {
  persistenceId: `notes ${IMAGE}`, snapshotEvery: 2, serializeFallbackToJson: true, includeDirs,
});
const Written = notes.lookupType("hostile.Written");

function write({ id, text }, state, context) {
  console.log(`wrote ${text}`);
  console.error(`${SCRIPT} ${UNSEEN} \u001b[31m${ATTRIBUTE}\u001b[0m`);
  context.emit(Written.create({ note: { id, text }, marks }));
  context.emit({ type: `written ${IMAGE}`, [IMAGE]: SCRIPT, ...marks });
  return { id, text, marks };
}

notes.setInitial(() => ({ type: `state ${IMAGE}`, text: "" }));
notes.setBehavior(() => ({
  commandHandlers: {
    Write: write,
    Read: ({ id }, { text }) => ({ id, text, marks }),
    Fail: (note, state, context) => context.fail(everything.join(" ")),
  },
  eventHandlers: {
    Written: ({ note }, state) => ({ ...state, ...marks, text: note.text }),
    [`written ${IMAGE}`]: (event, state) => state,
  },
}));

function marked(service, Type, handlers) {
  const entity = new crdt.Crdt("hostile.proto", service, { persistenceId: `${service} ${IMAGE}`, includeDirs });
  entity.defaultValue = () => new Type();
  entity.commandHandlers = handlers;
  return entity;
}

function put({ id, text }, { state }) {
  for (const each of everything) {
    if (!state.has(each)) state.set(each, new crdt.LWWRegister(`${text}${each}`));
  }
  return { id, text };
}

function add({ id, text }, { state }) {
  for (const each of everything) state.add(each);
  state.add({ type: LINK, [IMAGE]: SCRIPT, text });
  return { id };
}

const server = new CloudState({ serviceName: `hostile ${IMAGE}`, serviceVersion: SCRIPT });
const discover = server.discover;
server.discover = (call, callback) =>
  discover.call(server, call, (error, spec) => {
    Object.assign(spec.serviceInfo, { serviceRuntime: ATTRIBUTE, supportLibraryName: LINK, supportLibraryVersion: IMAGE });
    if (process.env.REJECTED) spec.entities[0].entityType = `cloudstate.${IMAGE}`;
    callback(error, spec);
  });

server.addEntity(notes, marked("hostile.Marks", crdt.ORMap, { Put: put }), marked("hostile.Lists", crdt.ORSet, { Add: add }));
server.start({ bindAddress: process.env.HOST || "127.0.0.1", bindPort: Number(process.env.PORT || 8080) });
