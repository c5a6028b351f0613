// Parcels beside an emulator of its own, over gRPC: cloudstate-dev exec --serve 'node index.js' -- npm test
const assert = require("node:assert/strict");
const { after, beforeEach, test } = require("node:test");
const { promisify } = require("node:util");
const grpc = require("@grpc/grpc-js");
const parcels = require("./parcels");
const { shipping } = require("./shipping");

const address = process.env.CLOUDSTATE_DEV_ADDRESS;
const admin = `http://${process.env.CLOUDSTATE_DEV_ADMIN}`;
const services = [parcels.grpc.com.example.shipping.Parcels, shipping.grpc.com.example.shipping.Shipping];
const [parcelsClient, shippingClient] = services.map((Client) => new Client(address, grpc.credentials.createInsecure()));
const send = promisify(parcelsClient.send).bind(parcelsClient);
const sent = promisify(parcelsClient.sent).bind(parcelsClient);
const quote = promisify(shippingClient.quote).bind(shippingClient);

// Nothing of the test before is left.
beforeEach(async () => {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${admin}/v1/testing/reset`, { method: "POST", headers, body: "{}" });
  assert.ok(response.ok, await response.text());
});

after(() => {
  parcelsClient.close();
  shippingClient.close();
});

test("a parcel costs by its way and its weight", async () => {
  assert.equal((await quote({ country: "it", grams: 120 })).cents, 512);
});

test("no parcel goes to a country without a way", async () => {
  await assert.rejects(quote({ country: "de" }), /No parcels are sent to de/);
});

test("a journey is a stream of places", async () => {
  const names = [];
  for await (const place of shippingClient.track({ country: "at", millisecondsBetween: 1 })) names.push(place.name);
  assert.deepEqual(names, ["Munich", "Salzburg", "Vienna"]);
});

test("a parcel that is sent is stored once for its sender and once for everybody", async () => {
  assert.equal((await send({ sender: "anna", country: "fr", grams: 250 })).cents, 425);
  assert.equal((await sent({ sender: "anna" })).grams, 250);
  for (const sender of ["anna", "everybody"]) {
    const response = await fetch(`${admin}/v1/entities/parcels/${sender}/events`);
    const { events } = await response.json();
    assert.deepEqual(events.map(({ payload }) => JSON.parse(payload.json)), [{ country: "fr", grams: 250 }]);
  }
});
