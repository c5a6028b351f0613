// What a gRPC status code means here, and what to look at.
const WORDS: Record<number, string> = {
  1: 'The client ended the call before it was answered.',
  2: 'The user function answered with a failure. This is its text; nothing was stored by this command.',
  3: 'The input is not what the method takes.',
  4: 'It took longer than its deadline, or than --relay-timeout allows. The steps tell where the time went; what was stored stays stored.',
  5: 'There is nothing of this name.',
  7: 'It was refused.',
  8: 'Too much at a time: too many commands wait for this entity, or a message is too large.',
  9: 'It cannot be done in the state that things are in.',
  10: 'It was given up because something else got in between. Calling again may help.',
  12: 'The user function does not have this method, or not in this shape.',
  13: 'The user function broke its stream or the protocol. The logs may tell why.',
  14: 'Nobody could take it: the user function is not there, or a node that has the entity is gone or cannot be reached. Calling again may help.',
};

export const errorWords = (code: number | undefined): string => WORDS[code ?? 0] ?? '';
