import { useMemo } from 'preact/hooks';
import { get } from '../../api/client';
import type { ListServicesResponseJson, ServiceJson } from '../../api/contract';
import { href } from '../../router';
import { status } from '../../state/live';
import { useStore } from '../../state/store';
import { type QueryResult, useQuery } from '../../state/use_query';

// The services that the user function declared, loaded anew whenever it has been started anew.
export function useServices(): QueryResult<ServiceJson[]> {
  const since = useStore(status)?.userFunction?.since ?? '';
  return useQuery(`services since ${since}`, async (signal) =>
    (await get<ListServicesResponseJson>('/v1/services', {}, signal)).services ?? []);
}

// Where the page of an entity is; undefined for what no entity has, such as an action's calls.
export function useEntityHref(): (service: string, entityId: string, at?: number) => string | undefined {
  const { data } = useServices();
  return useMemo(() => {
    const services = new Map((data ?? []).map((each) => [each.name, each]));
    return (service, entityId, at) => {
      const { persistenceId, entityType } = services.get(service) ?? {};
      if (!persistenceId || entityId === '') return undefined;
      return /crdt/i.test(entityType ?? '') ? href(['crdts', persistenceId, entityId]) : href(['entities', persistenceId, entityId], { at });
    };
  }, [data]);
}
