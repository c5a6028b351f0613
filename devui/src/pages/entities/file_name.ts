import type { EntityJson } from '../../api/contract';

// "shopping-cart_alice.ndjson", without what file systems do not take.
export const fileName = ({ persistenceId = '', entityId = '' }: EntityJson, ending: string): string =>
  `${`${persistenceId}_${entityId}`.replace(/[^\p{L}\p{N}._-]+/gu, '_').slice(0, 120)}${ending.startsWith('.') ? '' : '_'}${ending}`;
