// The services that the user function declared.
import type { HttpBindingJson, MethodJson, ServiceJson } from '../../api/contract';
import { href } from '../../router';
import { Badge, Card, LinkButton } from '../../ui/basics';
import { durationMs, formatDuration, plural } from '../../ui/format';
import { isCrdt, kindOf, ownRoutes, shapeOf } from '../../state/services';

// Services in more detail than anybody reads begin folded.
const MOST_OPEN = 4;

export function Services({ services }: { services: ServiceJson[] }) {
  if (services.length === 0) return null;
  return (
    <Card title={<>Services <span class="muted steps-count">{services.length}</span></>}>
      {services.map((service) => <OneService key={service.name} service={service} open={services.length <= MOST_OPEN} />)}
    </Card>
  );
}

function OneService({ service, open }: { service: ServiceJson; open: boolean }) {
  const { name = '', persistenceId = '', passivationTimeout, methods = [] } = service;
  return (
    <details class="service" open={open}>
      <summary>
        <h3><code>{name}</code></h3>
        <Badge tone="accent" title={service.entityType}>{kindOf(service)}</Badge>
        <span class="muted">{plural(methods.length, 'method')}</span>
      </summary>
      {persistenceId !== '' && (
        <p class="service-facts muted">
          Persisted as <a href={isCrdt(service) ? href(['crdts']) : href(['entities'], { pid: persistenceId })}>{persistenceId}</a>
          {passivationTimeout && <> · an idle entity stays active for {formatDuration(durationMs(passivationTimeout))}</>}
        </p>
      )}
      <ul class="methods">
        {methods.map((method) => (
          <li key={method.name}>
            <span class="method-name">
              <strong>{method.name}</strong> <Shape method={method} />
            </span>
            <span class="method-routes">{routesOf(service, method).map((route) => <Route key={`${route.method} ${route.path}`} {...route} />)}</span>
            <LinkButton kind="quiet" href={href(['try', name, method.name ?? ''])} icon="try">Try<span class="visually-hidden"> {method.name}</span></LinkButton>
          </li>
        ))}
      </ul>
    </details>
  );
}

const SHAPES: Record<string, string> = {
  'stream in': 'Takes a stream of messages', 'stream out': 'Answers with a stream of messages',
  'stream in, stream out': 'Messages go in and come out while the call is open',
};

function Shape({ method }: { method: MethodJson }) {
  const shape = shapeOf(method);
  return shape === '' ? null : <Badge title={SHAPES[shape]}>{shape}</Badge>;
}

const Route = ({ method, path }: HttpBindingJson) => (
  <code><span class="muted">{method}</span> {path}</code>
);

// That of its full name is told where there is no other.
function routesOf(service: ServiceJson, method: MethodJson): HttpBindingJson[] {
  const own = ownRoutes(service, method);
  return own.length > 0 ? own : (method.http ?? []);
}
