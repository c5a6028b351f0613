// Who is online: one vote for each user, and a node votes for a user while a client of that user is connected to it.
const { crdt } = require("cloudstate");
const entity = require("./entity");

function connect(user, context) {
  context.state.connected += 1;
  context.state.vote = true;
  context.onStreamCancel = (vote) => {
    vote.connected -= 1;
    if (vote.connected === 0) vote.vote = false;
  };
  return {};
}

function monitor(user, context) {
  // A stream that ended together with its calls has left this node's vote behind.
  if (context.state.connected === 0) context.state.vote = false;
  let told = context.state.atLeastOne;
  context.onStateChange = (vote) => {
    if (vote.atLeastOne === told) return undefined;
    told = vote.atLeastOne;
    return { online: told };
  };
  context.onStreamCancel = () => {}; // without it the library does not answer, and the entity is held up for a while
  return { online: told };
}

function extend(vote) {
  vote.connected = vote.connected || 0; // clients of the user, on this node
}

const handlers = { Connect: connect, Monitor: monitor };
module.exports = entity("presence/presence.proto", "com.example.presence.Presence", crdt.Vote, handlers, extend);
