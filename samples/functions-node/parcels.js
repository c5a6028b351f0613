// Event-sourced entities whose commands go on to other services.
const { EventSourced } = require("cloudstate");
const { includeDirs } = require("./include-dirs");
const { shipping, problemOf } = require("./shipping");

const parcels = new EventSourced("parcels.proto", "com.example.shipping.Parcels", {
  persistenceId: "parcels",
  includeDirs,
});
const ParcelSent = parcels.lookupType("com.example.shipping.ParcelSent");
const Total = parcels.lookupType("com.example.shipping.Total");
const { Note } = parcels.grpc.com.example.shipping.Parcels.service;
const { Quote } = shipping.grpc.com.example.shipping.Shipping.service;

function note({ country, grams }, total, context) {
  context.emit(ParcelSent.create({ country, grams }));
  return {};
}

function send(parcel, total, context) {
  const { country, grams } = parcel;
  const problem = problemOf(country);
  if (problem) context.fail(problem);
  note(parcel, total, context);
  context.effect(Note, { sender: "everybody", country, grams }, true);
  context.thenForward(Quote, { country, grams });
}

function parcelSent({ grams }, total) {
  return Total.create({ parcels: total.parcels + 1, grams: total.grams + grams });
}

parcels.setInitial(() => Total.create({ parcels: 0, grams: 0 }));
parcels.setBehavior(() => ({
  commandHandlers: { Send: send, Note: note, Sent: (sender, total) => total },
  eventHandlers: { ParcelSent: parcelSent },
}));

module.exports = parcels;
