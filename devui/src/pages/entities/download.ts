import type { EntityJson } from '../../api/contract';

// "shopping-cart_alice.ndjson", without what file systems do not take.
export const fileName = ({ persistenceId = '', entityId = '' }: EntityJson, ending: string): string =>
  `${`${persistenceId}_${entityId}`.replace(/[^\p{L}\p{N}._-]+/gu, '_').slice(0, 120)}${ending.startsWith('.') ? '' : '_'}${ending}`;

export function saveFile(name: string, parts: BlobPart[], type: string): void {
  const address = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser reads it after this turn.
  window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
