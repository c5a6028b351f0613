// A CRDT's value, each type in its own way, with marks where other replicas have something else.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { CrdtEntryJson, CrdtValueJson, PayloadJson } from '../../api/contract';
import { Badge } from '../../ui/basics';
import { formatCount, num } from '../../ui/format';
import { JsonView, parseJson } from '../../ui/json_view';
import { nodeList, payloadKey, payloadText } from './texts';

// What another node has at the same place; nothing where it does not exist there.
export interface Other {
  node: number;
  value: CrdtValueJson | undefined;
}

interface ValueProps {
  value: CrdtValueJson;
  others: Other[];
  // Within maps.
  small?: boolean;
}

export function ValueView({ value, others, small }: ValueProps) {
  switch (value.type) {
    case 'GCounter':
      return <Figure value={value} others={others} small={small}>{formatCount(num(value.count))}</Figure>;
    case 'PNCounter':
      return <Figure value={value} others={others} small={small}>{formatCount(num(value.number))}</Figure>;
    case 'Flag':
      return <Figure value={value} others={others} small={small}>{value.enabled ? 'on' : 'off'}</Figure>;
    case 'Vote':
      return <Votes value={value} others={others} small={small} />;
    case 'LWWRegister':
      return <Register value={value} others={others} />;
    case 'GSet':
    case 'ORSet':
      return <Elements value={value} others={others} />;
    case 'ORMap':
      return <Entries value={value} others={others} />;
    default:
      return <code>{value.text}</code>;
  }
}

// "other on nodes 1, 2" where these have something else.
function Mark({ nodes, text }: { nodes: number[]; text: string }) {
  return nodes.length === 0 ? null : <span class="crdt-mark">{text} {nodeList(nodes)}</span>;
}

const differing = (others: Other[], same: (value: CrdtValueJson) => boolean) =>
  others.filter(({ value }) => value === undefined || !same(value)).map(({ node }) => node);

function Figure({ value, others, small, children }: ValueProps & { children: ComponentChildren; small: boolean | undefined }) {
  const nodes = differing(others, ({ text }) => text === value.text);
  return (
    <span class={`${small ? 'crdt-small' : 'crdt-big'} ${nodes.length > 0 ? 'crdt-other' : ''}`}>
      {children} <Mark nodes={nodes} text="not as on" />
    </span>
  );
}

function Votes({ value, others, small }: ValueProps) {
  const { votesFor = 0, total = 0, self } = value.votes ?? {};
  const nodes = differing(others, ({ votes }) => votes?.votesFor === votesFor && votes?.total === total);
  return (
    <span class={`crdt-votes ${nodes.length > 0 ? 'crdt-other' : ''}`}>
      <strong class={small ? 'crdt-small' : 'crdt-big'}>{votesFor} of {total}</strong>
      <Badge tone={self ? 'good' : 'neutral'}>{self ? 'this node: yes' : 'this node: no'}</Badge>
      <Mark nodes={nodes} text="not as on" />
    </span>
  );
}

function Register({ value, others }: ValueProps) {
  const json = parseJson(value.registered?.json);
  const nodes = differing(others, ({ registered }) => payloadKey(registered) === payloadKey(value.registered));
  return (
    <div class={nodes.length > 0 ? 'crdt-other' : ''}>
      {json === undefined ? <span class="muted">nothing yet</span> : <JsonView value={json} label="Registered value" />}
      <Mark nodes={nodes} text="not as on" />
    </div>
  );
}

const isWhole = (value: CrdtValueJson, shown: unknown[]) => num(value.size) <= shown.length;

// Which others lack a thing for sure: of those whose list is not whole it is not known.
const lacking = <T,>(others: Other[], listOf: (value: CrdtValueJson) => T[], has: (each: T) => boolean) =>
  others.filter(({ value }) => value === undefined || (isWhole(value, listOf(value)) && !listOf(value).some(has))).map(({ node }) => node);

// What others have that is not here: each with its owners.
function absent<T>(own: CrdtValueJson, others: Other[], listOf: (value: CrdtValueJson) => T[], keyOf: (each: T) => string) {
  const found = new Map<string, { each: T; nodes: number[] }>();
  if (!isWhole(own, listOf(own))) return found;
  const here = new Set(listOf(own).map(keyOf));
  for (const { node, value } of others) {
    for (const each of value ? listOf(value) : []) {
      const key = keyOf(each);
      if (here.has(key)) continue;
      const entry = found.get(key) ?? { each, nodes: [] };
      entry.nodes.push(node);
      found.set(key, entry);
    }
  }
  return found;
}

const elementsOf = ({ elements = [] }: CrdtValueJson): PayloadJson[] => elements;
const entriesOf = ({ entries = [] }: CrdtValueJson): CrdtEntryJson[] => entries;

function Elements({ value, others }: ValueProps) {
  const elements = elementsOf(value);
  const rest = num(value.size) - elements.length;
  const marked = elements.map((element) => {
    const key = payloadKey(element);
    return { element, key, nodes: lacking(others, elementsOf, (each) => payloadKey(each) === key) };
  });
  // What differs comes first.
  const ordered = [...marked.filter(({ nodes }) => nodes.length > 0), ...marked.filter(({ nodes }) => nodes.length === 0)];
  return (
    <ul class="crdt-chips">
      {[...absent(value, others, elementsOf, payloadKey)].map(([key, { each, nodes }]) => (
        <li key={key} class="crdt-absent" title={each.json}>
          <s>{payloadText(each)}</s> <Mark nodes={nodes} text="only on" />
        </li>
      ))}
      {ordered.map(({ element, key, nodes }) => (
        <li key={key} class={nodes.length > 0 ? 'crdt-other' : ''} title={element.json}>
          {payloadText(element)} <Mark nodes={nodes} text="not on" />
        </li>
      ))}
      {elements.length === 0 && <li class="crdt-none">empty</li>}
      {rest > 0 && <li class="crdt-none">{formatCount(rest)} more</li>}
    </ul>
  );
}

const keyOf = ({ key }: CrdtEntryJson) => payloadKey(key);

function Entries({ value, others }: ValueProps) {
  const entries = entriesOf(value);
  const rest = num(value.size) - entries.length;
  return (
    <ul class="crdt-map">
      {entries.map((entry) => {
        const key = keyOf(entry);
        const nodes = lacking(others, entriesOf, (each) => keyOf(each) === key);
        const same = others.flatMap(({ node, value: other }) => {
          const found = other && entriesOf(other).find((each) => keyOf(each) === key);
          return found ? [{ node, value: found.value }] : [];
        });
        return <Entry key={key} entry={entry} nodes={nodes} others={same} />;
      })}
      {[...absent(value, others, entriesOf, keyOf)].map(([key, { each, nodes }]) => (
        <li key={key} class="crdt-absent">
          <s>{payloadText(each.key)}</s> <Mark nodes={nodes} text="only on" />
        </li>
      ))}
      {entries.length === 0 && <li class="crdt-none">empty</li>}
      {rest > 0 && <li class="crdt-none">{formatCount(rest)} more</li>}
    </ul>
  );
}

function Entry({ entry, nodes, others }: { entry: CrdtEntryJson; nodes: number[]; others: Other[] }) {
  const [open, setOpen] = useState(true);
  const value = entry.value ?? {};
  const composite = ['ORMap', 'ORSet', 'GSet', 'LWWRegister'].includes(value.type ?? '');
  const key = <span class="crdt-key" title={entry.key?.json}>{payloadText(entry.key)}</span>;
  const mark = <Mark nodes={nodes} text="not on" />;
  if (!composite) {
    return (
      <li class={nodes.length > 0 ? 'crdt-entry crdt-other' : 'crdt-entry'}>
        {key} <ValueView value={value} others={others} small /> {mark}
      </li>
    );
  }
  return (
    <li class={nodes.length > 0 ? 'crdt-other' : ''}>
      <button type="button" class="crdt-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
        {key} <span class="muted">{value.type}{value.type === 'LWWRegister' ? '' : `, ${formatCount(num(value.size))}`}</span> {mark}
      </button>
      {open && <ValueView value={value} others={others} small />}
    </li>
  );
}
