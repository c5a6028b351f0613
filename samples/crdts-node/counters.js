// Counters that every node counts by itself, and that agree in the end.
const { crdt } = require("cloudstate");
const entity = require("./entity");

const PROTO = "counters/counters.proto";
const LOCAL = 0;

function get(counter, { state }) {
  return { value: state.longValue };
}

// The library has no way to ask for more.
function refuseAllButLocal({ consistency }, context) {
  if (consistency !== LOCAL) context.fail("This library knows only LOCAL consistency.");
}

function increment(command, context) {
  refuseAllButLocal(command, context);
  context.state.increment(command.by.isZero() ? 1 : command.by);
  return get(command, context);
}

function change(command, context) {
  refuseAllButLocal(command, context);
  context.state.increment(command.by);
  return get(command, context);
}

function hit(counter, context) {
  context.state.increment(1);
  return {};
}

module.exports = {
  counters: entity(PROTO, "com.example.counters.Counters", crdt.GCounter, { Increment: increment, Get: get }),
  upDownCounters: entity(PROTO, "com.example.counters.UpDownCounters", crdt.PNCounter, { Change: change, Get: get }),
  hits: entity(PROTO, "com.example.counters.Hits", crdt.GCounter, { Hit: hit, Get: get }),
};
