// The services and their methods, to choose from.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { MethodJson, ServiceJson } from '../../api/contract';
import { href } from '../../router';
import { kindOf, ownRoutes, shapeOf } from '../../state/services';
import { Badge, SearchInput } from '../../ui/basics';
import { shortName } from '../../ui/format';

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
              {methods.map((one) => ({ one, route: ownRoutes(each, one)[0] })).map(({ one, route }) => (
                <li key={one.name}>
                  <a href={href(['try', each.name ?? '', one.name ?? ''])} aria-current={each.name === service && one.name === method ? 'page' : undefined}>
                    <span class="try-name">
                      {one.name}
                      {shapeOf(one) && <span class="try-shape">{shapeOf(one)}</span>}
                    </span>
                    {route && <span class="try-route">{route.method} {route.path}</span>}
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
