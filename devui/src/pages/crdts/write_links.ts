import type { CrdtJson } from '../../api/contract';
import { href } from '../../router';
import { useServices, writeMethod } from '../../state/services';

// Where this entity can be written to, at a node if one is given. Streams write no message, so that the first method would not do.
export function useWriteHref({ entityId, services = [] }: CrdtJson = {}): (node?: number) => string {
  const { data = [] } = useServices();
  const known = data.find(({ name }) => services.includes(name ?? ''));
  const method = writeMethod(known)?.name;
  const to = known?.name && method ? ['try', known.name, method] : ['try', ...services.slice(0, 1)];
  return (node) => href(to, { entity: entityId, node });
}
