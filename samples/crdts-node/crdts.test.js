// Two nodes beside each other: cloudstate-dev exec --nodes 2 --serve 'node index.js' -- npm test
const assert = require("node:assert/strict");
const { beforeEach, test } = require("node:test");

const client = `http://${process.env.CLOUDSTATE_DEV_ADDRESS}`;
const admin = `http://${process.env.CLOUDSTATE_DEV_ADMIN}`;

async function answerOf(response) {
  const text = await response.text();
  assert.ok(response.ok, text);
  return text && JSON.parse(text);
}

const json = { "content-type": "application/json" };
const headers = (node) => ({ ...json, "x-cloudstate-node": String(node) });
const get = async (node, path) => answerOf(await fetch(client + path, { headers: headers(node) }));
const post = async (node, path, body = {}) =>
  answerOf(await fetch(client + path, { method: "POST", headers: headers(node), body: JSON.stringify(body) }));
const steer = async (path, body = {}) =>
  answerOf(await fetch(admin + path, { method: "POST", headers: json, body: JSON.stringify(body) }));

// Until both nodes know what each of them does.
const converged = () => steer("/v1/testing/wait", { converged: true });

// Nothing of the test before is left, not even a network that it has cut.
beforeEach(() => steer("/v1/testing/reset"));

test("what both nodes count comes together", async () => {
  await post(1, "/counters/visits/increment", { by: 2 });
  await post(2, "/counters/visits/increment", { by: 3 });
  await converged();
  for (const node of [1, 2]) assert.equal((await get(node, "/counters/visits")).value, "5");
});

test("what is said at one node is heard at the other", async () => {
  await post(1, "/chat/lobby/messages", { author: "ann", text: "hello" });
  await converged();
  const { messages } = await get(2, "/chat/lobby/messages");
  assert.deepEqual(messages.map(({ author, text }) => `${author}: ${text}`), ["ann: hello"]);
});
