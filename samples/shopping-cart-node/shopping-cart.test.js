// The cart beside an emulator of its own: cloudstate-dev exec --serve 'node index.js' -- npm test
const assert = require("node:assert/strict");
const { beforeEach, test } = require("node:test");

const client = `http://${process.env.CLOUDSTATE_DEV_ADDRESS}`;
const admin = `http://${process.env.CLOUDSTATE_DEV_ADMIN}`;

// The answer's JSON, or the text of a failure.
async function send(url, body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, body && { method: "POST", headers, body: JSON.stringify(body) });
  return { ok: response.ok, body: response.ok ? await response.json() : await response.text() };
}

async function storedEvents(user) {
  const { ok, body } = await send(`${admin}/v1/entities/shopping-cart/${user}/events`);
  if (!ok) return []; // nothing was ever stored
  return body.events.map(({ payload }) => ({ type: payload.typeUrl.split(".").pop(), ...JSON.parse(payload.json) }));
}

const add = (user, productId, quantity) => send(`${client}/cart/${user}/items/add`, { productId, name: productId, quantity });

// Nothing of the test before is left.
beforeEach(async () => {
  const { ok, body } = await send(`${admin}/v1/testing/reset`, {});
  assert.ok(ok, body);
});

test("quantities of a product add up", async () => {
  assert.ok((await add("anna", "pear", 2)).ok);
  assert.ok((await add("anna", "pear", 3)).ok);
  const { body } = await send(`${client}/carts/anna`);
  assert.deepEqual(body, { items: [{ productId: "pear", name: "pear", quantity: 5 }] });
});

test("what was added and removed is stored as events", async () => {
  await add("anna", "pear", 2);
  await send(`${client}/cart/anna/items/pear/remove`, {});
  assert.deepEqual(await storedEvents("anna"), [
    { type: "ItemAdded", item: { productId: "pear", name: "pear", quantity: 2 } },
    { type: "ItemRemoved", productId: "pear" },
  ]);
});

test("a quantity below one is refused, and nothing is stored", async () => {
  const { ok, body } = await add("anna", "pear", 0);
  assert.equal(ok, false);
  assert.match(body, /the quantity must be positive/);
  assert.deepEqual(await storedEvents("anna"), []);
});
