import type { Route } from '../../router';
import '../../styles/crdts.css';
import { CrdtEntityPage } from './entity_page';
import { CrdtList } from './list';

export function CrdtsPage({ route }: { route: Route }) {
  const [, persistenceId, entityId] = route.segments;
  if (persistenceId !== undefined && entityId !== undefined) return <CrdtEntityPage persistenceId={persistenceId} entityId={entityId} />;
  return <CrdtList route={route} />;
}
