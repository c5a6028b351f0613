// Functions: calls that keep nothing, single ones and streams.
const { Stateless } = require("cloudstate");
const { includeDirs } = require("./include-dirs");

const places = {
  at: ["Munich", "Salzburg", "Vienna"],
  fr: ["Munich", "Strasbourg", "Paris"],
  it: ["Munich", "Innsbruck", "Verona", "Rome"],
};

function problemOf(country) {
  return places[country] ? null : `No parcels are sent to ${country}.`;
}

function placesOnTheWay(country) {
  const problem = problemOf(country);
  if (problem) throw new Error(problem); // the client's call fails with it
  return [...places[country]];
}

// A base price, as much again for each place on the way, and a cent for each ten grams.
function cents({ country, grams }) {
  return 100 * (1 + placesOnTheWay(country).length) + Math.ceil(grams / 10);
}

function quote(parcel) {
  return { cents: cents(parcel) };
}

function track(stream, { country, millisecondsBetween }) {
  const left = placesOnTheWay(country);
  const pass = () => {
    stream.write({ name: left.shift() });
    if (left.length === 0) {
      stream.end();
    } else {
      setTimeout(pass, millisecondsBetween || 1000);
    }
  };
  pass();
}

// Called for each parcel of a stream. It must not throw: that would end the process.
function quoteEach(stream, parcel) {
  const { country, last } = parcel;
  const problem = problemOf(country);
  stream.write(problem ? { country, problem } : { country, cents: cents(parcel) });
  if (last) stream.end();
}

const shipping = new Stateless("shipping.proto", "com.example.shipping.Shipping", { includeDirs });
shipping.commandHandlers = { Quote: quote, Track: track, QuoteEach: quoteEach };

module.exports = { shipping, problemOf };
