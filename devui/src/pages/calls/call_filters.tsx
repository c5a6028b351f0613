// Which calls are shown. The emulator filters, by what the address says.
import { useState } from 'preact/hooks';
import type { ServiceJson } from '../../api/contract';
import { setQuery } from '../../router';
import { Button, SearchInput, Select } from '../../ui/basics';
import { shortName } from '../../ui/format';
import { parseDuration } from '../../ui/durations';

const FILTERS = ['service', 'method', 'entity', 'failed', 'slower'];

export const isFiltered = (query: URLSearchParams) => FILTERS.some((each) => query.has(each));
export const clearFilters = () => setQuery(Object.fromEntries(FILTERS.map((each) => [each, null])));

// The contract's filter, for the query of a request.
export function filterOf(query: URLSearchParams): Record<string, string | boolean | undefined> {
  return {
    'filter.service': query.get('service') ?? undefined,
    'filter.method': query.get('method') ?? undefined,
    'filter.entity_id': query.get('entity') ?? undefined,
    'filter.failed_only': query.get('failed') === '1' || undefined,
    'filter.at_least': parseDuration(query.get('slower') ?? ''),
  };
}

const unique = (names: (string | undefined)[]) => [...new Set(names.filter((name) => name !== undefined))];
const option = (value: string, title = value) => ({ value, title });

export function CallFilters({ query, services }: { query: URLSearchParams; services: ServiceJson[] }) {
  const service = query.get('service') ?? '';
  const method = query.get('method') ?? '';
  // A link may name what the user function no longer has.
  const names = unique([...services.map(({ name }) => name), service || undefined]);
  const methods = unique([
    ...services.filter(({ name }) => service === '' || name === service).flatMap((each) => each.methods ?? []).map(({ name }) => name),
    method || undefined,
  ]);
  return (
    <div class="toolbar" role="search" aria-label="Filter the calls">
      <Select
        label="Service" value={service} onChange={(value) => setQuery({ service: value, method: null })}
        options={[option('', 'All services'), ...names.map((name) => option(name, shortName(name)))]}
      />
      <Select
        label="Method" value={method} onChange={(value) => setQuery({ method: value })}
        options={[option('', 'All methods'), ...methods.map((name) => option(name))]}
      />
      <SearchInput label="Entity id" placeholder="Entity id, all of it" value={query.get('entity') ?? ''} onChange={(value) => setQuery({ entity: value.trim() })} />
      <SlowerThan value={query.get('slower') ?? ''} />
      <Button pressed={query.get('failed') === '1'} onClick={() => setQuery({ failed: query.get('failed') === '1' ? null : '1' })}>
        Failed only
      </Button>
      <Button kind="quiet" icon="close" disabled={!isFiltered(query)} onClick={clearFilters}>Clear</Button>
    </div>
  );
}

function SlowerThan({ value }: { value: string }) {
  const [problem, setProblem] = useState(false);
  const typed = (text: string) => {
    const wrong = text.trim() !== '' && parseDuration(text) === undefined;
    setProblem(wrong);
    if (!wrong) setQuery({ slower: text.trim() });
  };
  return (
    <span class="slower">
      <input
        key={value} type="text" defaultValue={value} list="slower-than" size={12} spellcheck={false} autocomplete="off"
        placeholder="Slower than…" aria-label="Slower than" aria-invalid={problem} title={problem ? 'Write a time such as 50ms or 1.5s' : 'Such as 50ms'}
        onChange={(event) => typed(event.currentTarget.value)}
      />
      <datalist id="slower-than">
        {['1ms', '10ms', '50ms', '200ms', '1s'].map((each) => <option key={each} value={each} />)}
      </datalist>
      {problem && <span class="slower-problem" role="alert">such as 50ms</span>}
    </span>
  );
}
