// Calls of the user function by hand: `#/try/SERVICE/METHOD`, with `?entity=ID` for its key or `?call=TRACE` for a call's input.
import '../../styles/try.css';
import type { MethodJson, ServiceJson } from '../../api/contract';
import { href, type Route } from '../../router';
import { EmptyState, ErrorBox, LinkButton, Loading, Page } from '../../ui/basics';
import { NoUserFunction } from '../../ui/no_user_function';
import { useServices } from '../../state/services';
import { useLast } from '../../state/use_query';
import { MethodPanel } from './method_panel';
import { MethodTree } from './method_tree';

export function TryPage({ route }: { route: Route }) {
  const { data, error, reload } = useServices();
  // There are none while the user function is started anew: the call and the form that are shown stay.
  const services = useLast(data?.length === 0 ? undefined : data) ?? data;
  const [, serviceName, methodName] = route.segments;
  const chosen = services && find(services, serviceName, methodName);
  return (
    <Page title="Try it" label={chosen ? `Try ${chosen.method.name}` : 'Try it'} wide>
      {error && services === undefined && <ErrorBox error={error} onRetry={reload} />}
      {!error && services === undefined && <Loading what="the services" />}
      {services?.length === 0 && <NoServices />}
      {services && services.length > 0 && (
        <div class="try">
          <MethodTree services={services} service={chosen?.service.name} method={chosen?.method.name} />
          {chosen
            ? <MethodPanel key={`${chosen.service.name}/${chosen.method.name}`} service={chosen.service} method={chosen.method} query={route.query} />
            : <NoMethod name={`${serviceName}/${methodName ?? ''}`} />}
        </div>
      )}
    </Page>
  );
}

// The first method where none is named.
function find(services: ServiceJson[], service: string | undefined, method: string | undefined): { service: ServiceJson; method: MethodJson } | undefined {
  const found = service === undefined ? services.find((each) => (each.methods ?? []).length > 0) : services.find(({ name }) => name === service);
  const of = method === undefined ? found?.methods?.[0] : found?.methods?.find(({ name }) => name === method);
  return found && of && { service: found, method: of };
}

const NoServices = () => (
  <EmptyState icon="try" title="There is no user function yet">
    <p>Once one is ready, its services and methods stand here, each with a form for its input.</p>
    <NoUserFunction />
  </EmptyState>
);

const NoMethod = ({ name }: { name: string }) => (
  <EmptyState icon="search" title="The user function has no such method">
    <p><code>{name}</code> is not among what it declares now.</p>
    <p><LinkButton href={href(['try'])}>The first method</LinkButton></p>
  </EmptyState>
);
