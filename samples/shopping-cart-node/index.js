// A shopping cart: one event-sourced entity per user.
const path = require("path");

process.chdir(__dirname); // the library looks for user-function.desc where it runs
const { EventSourced } = require("cloudstate");

const protos = path.resolve(process.env.PROTOS || "../protos");
// Has google/protobuf/descriptor.proto, which the library expects from the compiler that its install script would fetch.
const protobufjs = path.dirname(require.resolve("protobufjs/package.json", { paths: [require.resolve("cloudstate")] }));
const entity = new EventSourced(
  ["shoppingcart/shoppingcart.proto", "shoppingcart/persistence/domain.proto"],
  "com.example.shoppingcart.ShoppingCart",
  {
    persistenceId: "shopping-cart",
    snapshotEvery: Number(process.env.SNAPSHOT_EVERY || 100),
    includeDirs: [protos, protobufjs],
  },
);

const domain = "com.example.shoppingcart.persistence.";
const ItemAdded = entity.lookupType(domain + "ItemAdded");
const ItemRemoved = entity.lookupType(domain + "ItemRemoved");
const Cart = entity.lookupType(domain + "Cart");

function addItem(command, cart, context) {
  if (command.quantity <= 0) {
    context.fail(`Cannot add ${command.quantity} of ${command.productId}: the quantity must be positive.`);
  }
  const { productId, name, quantity } = command;
  context.emit(ItemAdded.create({ item: { productId, name, quantity } }));
  return {};
}

function removeItem(command, cart, context) {
  if (!cart.items.some((item) => item.productId === command.productId)) {
    context.fail(`Cannot remove ${command.productId}: it is not in the cart.`);
  }
  context.emit(ItemRemoved.create({ productId: command.productId }));
  return {};
}

function getCart(command, cart) {
  const items = [...cart.items].sort((a, b) => (a.productId < b.productId ? -1 : 1));
  return { items };
}

function itemAdded({ item }, cart) {
  const known = cart.items.find((other) => other.productId === item.productId);
  if (known) {
    known.name = item.name;
    known.quantity += item.quantity;
  } else {
    cart.items.push(item);
  }
  return cart;
}

function itemRemoved({ productId }, cart) {
  cart.items = cart.items.filter((item) => item.productId !== productId);
  return cart;
}

entity.setInitial(() => Cart.create({ items: [] }));
entity.setBehavior(() => ({
  commandHandlers: { AddItem: addItem, RemoveItem: removeItem, GetCart: getCart },
  eventHandlers: { ItemAdded: itemAdded, ItemRemoved: itemRemoved },
}));

entity.start({
  bindAddress: process.env.HOST || "127.0.0.1",
  bindPort: Number(process.env.PORT || 8080),
});
