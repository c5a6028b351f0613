// The admin contract's messages in JSON, generated from protocol/dev. All fields are optional in JSON; 64-bit numbers are
// strings, times are RFC 3339, durations "1.5s": see ui/format.ts.
export type * from '../../generated/cloudstate/dev/v1/cluster_pb';
export type * from '../../generated/cloudstate/dev/v1/crdt_pb';
export type * from '../../generated/cloudstate/dev/v1/dev_pb';
export type * from '../../generated/cloudstate/dev/v1/figures_pb';
export type * from '../../generated/cloudstate/dev/v1/replay_pb';
export type * from '../../generated/cloudstate/dev/v1/scaling_pb';
