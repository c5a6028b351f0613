// The services that the user function declared, and what they tell about an entity and its methods.
import { useMemo } from 'preact/hooks';
import { get } from '../api/client';
import type { HttpBindingJson, ListServicesResponseJson, MethodJson, ServiceJson } from '../api/contract';
import { href } from '../router';
import { shortName } from '../ui/format';
import { jsonName } from '../ui/json_input';
import { curlLine } from '../ui/shell';
import { status } from './live';
import { useStore } from './store';
import { type QueryResult, useLast, useQuery } from './use_query';

// Loaded anew whenever the user function has been started anew; until then they are those of before.
export function useServices(): QueryResult<ServiceJson[]> {
  const since = useStore(status)?.userFunction?.since ?? '';
  const query = useQuery(`services since ${since}`, async (signal) =>
    (await get<ListServicesResponseJson>('/v1/services', {}, signal)).services ?? []);
  return { ...query, data: useLast(query.data) };
}

// Where the page of an entity is; undefined for what no entity has, such as an action's calls.
export function useEntityHref(): (service: string, entityId: string, at?: number) => string | undefined {
  const { data } = useServices();
  return useMemo(() => {
    const services = new Map((data ?? []).map((each) => [each.name, each]));
    return (service, entityId, at) => {
      const known = services.get(service);
      if (!known?.persistenceId || entityId === '') return undefined;
      return isCrdt(known) ? href(['crdts', known.persistenceId, entityId]) : href(['entities', known.persistenceId, entityId], { at });
    };
  }, [data]);
}

// By the last part of their entity type.
const KINDS: Record<string, string> = {
  EventSourced: 'event sourced', ValueEntity: 'value', Crdt: 'CRDT', ActionProtocol: 'action', StatelessFunction: 'action',
};
export const kindOf = (service: ServiceJson | undefined): string => KINDS[shortName(service?.entityType)] ?? shortName(service?.entityType);
export const isValue = (service: ServiceJson | undefined): boolean => kindOf(service) === 'value';
export const isCrdt = (service: ServiceJson | undefined): boolean => kindOf(service) === 'CRDT';
// Lists of stored entities have entities of these.
export const isStored = (service: ServiceJson): boolean => service.persistenceId !== '' && !isCrdt(service);

// Empty for those that take one message and answer with one.
export function shapeOf({ clientStreaming, serverStreaming }: MethodJson): string {
  if (clientStreaming && serverStreaming) return 'stream in, stream out';
  if (clientStreaming) return 'stream in';
  return serverStreaming ? 'stream out' : '';
}

// The routes that its author gave it; every method has one of its own name besides.
export const ownRoutes = ({ name }: ServiceJson, method: MethodJson): HttpBindingJson[] =>
  (method.http ?? []).filter(({ path }) => path !== `/${name}/${method.name}`);

// Those that take one message and answer with one.
export const unaryMethods = (service: ServiceJson | undefined): MethodJson[] =>
  (service?.methods ?? []).filter((method) => !method.clientStreaming && !method.serverStreaming);

// Whether a method only reads is not declared; its name and its HTTP binding tell.
const READS = /^(get|read|list|show|find|fetch|describe|query|view|sent)/i;
const reads = (method: MethodJson): boolean =>
  READS.test(method.name ?? '') || (method.http ?? []).some((binding) => binding.method === 'GET');
export const readMethod = (service: ServiceJson | undefined): MethodJson | undefined => {
  const methods = unaryMethods(service);
  return methods.find(reads) ?? methods[0];
};
export const writeMethod = (service: ServiceJson | undefined): MethodJson | undefined =>
  unaryMethods(service).find((method) => !reads(method)) ?? service?.methods?.[0];

// The example input with the entity's own key in it.
export function inputFor(method: MethodJson | undefined, entityId: string): string {
  const example = parseObject(method?.example);
  if (method?.keyFields?.length === 1) example[jsonName(method.keyFields[0]!)] = entityId;
  return JSON.stringify(example, null, 2);
}

function parseObject(text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text || '{}');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {}; // no example is better than one that is no JSON
  }
}

// A command for a terminal that makes a first entity of the service; undefined where no call without a stream does.
export function curlFor(service: ServiceJson, client: string): string | undefined {
  const method = writeMethod(service);
  if (method === undefined) return undefined;
  const call = { service: service.name ?? '', method: method.name ?? '', messages: [inputFor(method, 'me')], headers: [] };
  return curlLine(call, method, client);
}
