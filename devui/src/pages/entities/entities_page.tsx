import type { Route } from '../../router';
import { EntityList } from './entity_list';
import { EntityPage } from './entity_page';

export function EntitiesPage({ route }: { route: Route }) {
  const [, persistenceId, entityId] = route.segments;
  if (persistenceId === undefined || entityId === undefined) return <EntityList route={route} />;
  return <EntityPage key={JSON.stringify([persistenceId, entityId])} persistenceId={persistenceId} entityId={entityId} query={route.query} />;
}
