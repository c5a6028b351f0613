// A session worth looking at: what somebody has after some minutes with an emulator. Of a Node sample each.

import { CART, eventually } from './harness.js';

const PRODUCTS = [
  ['espresso-beans', 'Espresso beans, 1 kg'], ['oat-milk', 'Oat milk'], ['filter-paper', 'Filter paper, size 4'],
  ['grinder', 'Hand grinder'], ['cup', 'Cup, 80 ml'], ['kettle', 'Gooseneck kettle'],
];
const PEOPLE = ['ada', 'grace', 'edsger', 'barbara', 'tony', 'leslie', 'frances', 'donald'];

// Carts with histories, and calls that fail. SNAPSHOT_EVERY is best small.
export async function shopping(it) {
  const add = (userId, product, quantity) =>
    it.call(`${CART}/AddItem`, { userId, productId: PRODUCTS[product][0], name: PRODUCTS[product][1], quantity });
  const remove = (userId, product) => it.call(`${CART}/RemoveItem`, { userId, productId: PRODUCTS[product][0] });
  for (const [i, userId] of PEOPLE.entries()) {
    for (let k = 0; k <= i; ++k) await add(userId, (i + k) % PRODUCTS.length, 1 + (k % 3));
    await it.call(`${CART}/GetCart`, { userId });
  }
  for (const [product, quantity] of [[0, 2], [1, 6], [2, 1], [4, 4], [3, 1], [1, 6]]) await add('ada', product, quantity);
  await remove('ada', 2);
  await add('ada', 5, 1);
  await remove('ada', 4);
  await add('ada', 4, 2);
  await add('grace', 1, 0);        // fails: no quantity
  await remove('edsger', 5);       // not in the cart
  await add('barbara', 0, -3);
  const { trace } = await add('ada', 3, -1);
  await it.call(`${CART}/GetCart`, { userId: 'ada' });
  return { entity: ['shopping-cart', 'ada'], failedTrace: trace };
}

// For `disagreeing`: nobody decides that a node is gone which is not heard.
export const PATIENT = ['--stable-after', '1h'];

// Counters and a room in a cluster of three, of which one has not heard what the others wrote since the network was divided.
export async function disagreeing(it) {
  const increment = (name, by, node) => it.call('com.example.counters.Counters/Increment', { name, by }, { node });
  const post = (author, text, node) => it.call('com.example.chat.Chat/Post', { room: 'lobby', author, text }, { node });
  const steer = (body) => it.api('/v1/cluster:steer', { body });
  await eventually('three nodes are up', async () => (await it.api('/v1/nodes')).nodes.filter(({ state }) => state === 'up').length === 3);
  for (const node of [1, 2, 3]) await increment('visits', 10 * node, node);
  await post('ada', 'Is the coffee ready?', 1);
  await post('grace', 'Two minutes.', 2);
  await eventually('all nodes agree', async () => (await it.api('/v1/crdts')).crdts.every(({ agreed }) => agreed));
  await steer({ link: { from: 1, to: 2, settings: { latency: 'uniform(20ms, 60ms)', loss: 0.1 } } });
  await steer({ partition: { groups: [{ nodes: [1, 2] }, { nodes: [3] }] } });
  await increment('visits', 5, 1);
  await increment('visits', 2, 3);
  await post('ada', 'It is ready!', 1);
  await post('linus', 'Hello? Is anybody here?', 3);
  return { entity: ['Chat', 'lobby'] };
}

// Two replicas of one that was there, by a decision. Of a run with `--scaling knative`.
export async function grown(it) {
  await it.api('/v1/scaling:set', { body: { settings: { 'min-scale': '2' } } });
  await eventually('two replicas', async () => (await it.api('/v1/scaling')).ready === 2);
}

// People who come in waves, so that replicas come and go, until the returned function is called.
export function waves(it) {
  const [peak, seconds] = [10, 30];
  const began = Date.now();
  let over = false;
  const person = async (i) => {
    while (!over) {
      const tide = Math.sin(((Date.now() - began) / 1000 / seconds) * 2 * Math.PI - 1);
      if (tide * peak > i) await it.call(`${CART}/AddItem`, { userId: `visitor-${i}`, productId: 'cup', name: 'Cup, 80 ml', quantity: 1 });
      else await new Promise((done) => setTimeout(done, 100));
    }
  };
  const all = Promise.all(Array.from({ length: peak }, (_, i) => person(i)));
  return async () => {
    over = true;
    await all;
  };
}

// A call that goes on to another service, and has a side effect on a third entity: its trace.
export async function forwarding(it) {
  const { trace } = await it.call('com.example.shipping.Parcels/Send', { sender: 'ada', country: 'it', grams: 1200 });
  return trace;
}
