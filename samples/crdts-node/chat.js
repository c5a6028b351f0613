// Rooms to chat in. A room is a map with two kinds of keys: the name of somebody who was ever there, with a vote of the nodes
// for whether they are, and a message, whose value says nothing. A set of messages in the map would be plainer, but what
// another node has put into such a set, the library cannot read.
const { randomInt } = require("crypto");
const { crdt } = require("cloudstate");
const { counters } = require("./counters");
const entity = require("./entity");

const MESSAGES_KEPT = 100;

function peopleIn(room) {
  const names = [];
  room.forEach((value, key) => {
    if (typeof key === "string" && value.atLeastOne) names.push(key);
  });
  return names.sort();
}

// From the oldest to the newest.
function messagesIn(room) {
  const messages = Array.from(room.keys()).filter((key) => typeof key !== "string");
  return messages.sort((a, b) => Number(a.sentMs) - Number(b.sentMs) || Number(a.number) - Number(b.number));
}

// Tells at each call what is new in the room since the last one.
function newsTeller() {
  let names = [];
  let numbers = new Set();
  return (room) => {
    const nowThere = peopleIn(room);
    const messages = messagesIn(room);
    const news = {
      joined: nowThere.filter((name) => !names.includes(name)),
      left: names.filter((name) => !nowThere.includes(name)),
      messages: messages.filter((message) => !numbers.has(String(message.number))),
    };
    names = nowThere;
    numbers = new Set(messages.map((message) => String(message.number)));
    return news;
  };
}

// This node votes for those who have calls open here, and no more for others. Of them there is the one who left, and those
// whose calls ended together with an earlier stream.
function voteForVisitors(room) {
  room.forEach((value, key) => {
    if (typeof key === "string") value.vote = room.visits.has(key);
  });
}

function join({ name }, context) {
  if (!name) context.fail("Nobody can join without a name.");
  const room = context.state;
  room.visits.set(name, (room.visits.get(name) || 0) + 1);
  if (!room.has(name)) room.set(name, new crdt.Vote());
  voteForVisitors(room);

  const tell = newsTeller();
  context.onStateChange = (changed) => {
    const news = tell(changed);
    return news.joined.length + news.left.length + news.messages.length > 0 ? news : undefined;
  };
  context.onStreamCancel = (left) => {
    left.visits.set(name, left.visits.get(name) - 1);
    if (left.visits.get(name) === 0) left.visits.delete(name);
    voteForVisitors(left);
  };
  return tell(room);
}

function post({ room: name, author, text }, context) {
  if (!author || !text) context.fail("A message needs an author and a text.");
  const message = Message.create({ author, text, sentMs: Date.now(), number: randomInt(2 ** 48 - 1) });
  const room = context.state;
  room.set(message, new crdt.Flag());
  messagesIn(room)
    .slice(0, -MESSAGES_KEPT)
    .forEach((old) => room.delete(old));
  context.effect(counters.grpc.com.example.counters.Counters.service.Increment, { name });
  return message;
}

const chat = entity(
  "chat/chat.proto",
  "com.example.chat.Chat",
  crdt.ORMap,
  {
    Join: join,
    Post: post,
    ListMessages: (request, { state }) => ({ messages: messagesIn(state) }),
    ListPeople: (request, { state }) => ({ names: peopleIn(state) }),
  },
  (room) => {
    room.visits = room.visits || new Map(); // calls of Join that are open on this node, by name
  },
);
const Message = chat.lookupType("com.example.chat.Message");

module.exports = chat;
