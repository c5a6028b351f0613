// The services and their methods, to choose from.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { MethodJson, ServiceJson } from '../../api/contract';
import { href } from '../../router';
import { Badge, SearchInput } from '../../ui/basics';
import { shortName } from '../../ui/format';

const KINDS: [string, string][] = [
  ['eventsourced', 'event sourced'], ['valueentity', 'value'], ['value', 'value'], ['crdt', 'CRDT'], ['action', 'action'], ['function', 'action'],
];

export function kindOf({ entityType = '' }: ServiceJson): string {
  return KINDS.find(([part]) => entityType.toLowerCase().includes(part))?.[1] ?? shortName(entityType);
}

export function shapeOf({ clientStreaming, serverStreaming }: MethodJson): string {
  if (clientStreaming && serverStreaming) return 'stream in, stream out';
  if (clientStreaming) return 'stream in';
  return serverStreaming ? 'stream out' : 'unary';
}

// The route that its author gave it; every method has one of its own name besides.
export function routeOf(service: ServiceJson, method: MethodJson): string | undefined {
  const own = method.http?.find(({ path }) => path !== `/${service.name}/${method.name}`);
  return own && `${own.method} ${own.path}`;
}

export function MethodTree({ services, service, method }: { services: ServiceJson[]; service: string | undefined; method: string | undefined }) {
  const [wanted, setWanted] = useState('');
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' }), [service, method]);
  const fits = (each: ServiceJson, { name = '' }: MethodJson) => `${each.name}.${name}`.toLowerCase().includes(wanted.toLowerCase());
  const shown = services
    .map((each) => ({ each, methods: (each.methods ?? []).filter((one) => fits(each, one)) }))
    .filter(({ methods }) => methods.length > 0);
  return (
    <nav class="card try-tree" aria-label="Methods">
      <div class="try-search"><SearchInput label="Find a method" placeholder="Find a method" value={wanted} onChange={setWanted} /></div>
      <div class="try-services" ref={list}>
        {shown.map(({ each, methods }) => (
          <section key={each.name} aria-label={each.name}>
            <h2 title={each.name}>{shortName(each.name)} <Badge>{kindOf(each)}</Badge></h2>
            <ul>
              {methods.map((one) => (
                <li key={one.name}>
                  <a href={href(['try', each.name ?? '', one.name ?? ''])} aria-current={each.name === service && one.name === method ? 'page' : undefined}>
                    <span class="try-name">
                      {one.name}
                      {shapeOf(one) !== 'unary' && <span class="try-shape">{shapeOf(one)}</span>}
                    </span>
                    {routeOf(each, one) && <span class="try-route">{routeOf(each, one)}</span>}
                  </a>
                </li>
              ))}
            </ul>
          </section>
        ))}
        {shown.length === 0 && <p class="muted">No method fits.</p>}
      </div>
    </nav>
  );
}
