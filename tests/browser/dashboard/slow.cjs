// Loaded before an event-sourced user function, makes each of its commands take WORK_MS, one after the other.
const { EventSourced } = require(require.resolve('cloudstate', { paths: [process.cwd()] }));

const never = new Int32Array(new SharedArrayBuffer(4));
const { setBehavior } = EventSourced.prototype;

EventSourced.prototype.setBehavior = function (behavior) {
  return setBehavior.call(this, (state) => {
    const { commandHandlers, ...rest } = behavior(state);
    const slow = (handler) => (...told) => {
      Atomics.wait(never, 0, 0, Number(process.env.WORK_MS));
      return handler(...told);
    };
    return { ...rest, commandHandlers: Object.fromEntries(Object.entries(commandHandlers).map(([name, handler]) => [name, slow(handler)])) };
  });
};
