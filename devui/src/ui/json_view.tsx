// JSON as a tree that folds, and payloads with their bytes.
import type { ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { PayloadJson } from '../api/contract';
import { CopyButton } from './basics';
import { base64Bytes, formatBytes, shortName } from './format';
import { parseInput } from './json_input';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export function parseJson(text: string | undefined): Json | undefined {
  if (text === undefined || text === '') return undefined;
  const parsed = parseInput(text);
  return 'value' in parsed ? parsed.value : text;
}

const MOST_CHILDREN = 100;
const MOST_TEXT = 2_000;

export const JsonView = ({ value, label }: { value: Json; label: string }) => (
  <div class="json" role="group" aria-label={label}>
    <Node value={value} depth={0} />
  </div>
);

const isComposite = (value: Json): value is Json[] | { [key: string]: Json } => typeof value === 'object' && value !== null;

function Node({ name, value, depth }: { name?: string; value: Json; depth: number }) {
  const key = name === undefined ? null : <span class="json-key">{name}: </span>;
  if (!isComposite(value)) {
    return (
      <div class="json-line">
        {key}
        <Scalar value={value} />
      </div>
    );
  }
  return <Composite key_={key} value={value} depth={depth} />;
}

function Composite({ key_, value, depth }: { key_: ComponentChildren; value: Json[] | { [key: string]: Json }; depth: number }) {
  const [open, setOpen] = useState(depth < 3);
  const [most, setMost] = useState(MOST_CHILDREN);
  const list = Array.isArray(value);
  const entries: [string, Json][] = list ? value.map((each, i) => [String(i), each]) : Object.entries(value);
  const brackets = list ? '[]' : '{}';
  if (entries.length === 0) {
    return (
      <div class="json-line">
        {key_}
        <span class="json-punctuation">{brackets}</span>
      </div>
    );
  }
  return (
    <div class="json-node">
      <button type="button" class="json-line json-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
        {key_}
        <span class="json-punctuation">
          {brackets[0]}
          {!open && ` ${entries.length} ${brackets[1]}`}
        </span>
      </button>
      {open && (
        <div class="json-children">
          {entries.slice(0, most).map(([name, each]) => (
            <Node key={name} name={name} value={each} depth={depth + 1} />
          ))}
          {entries.length > most && (
            <button type="button" class="json-more" onClick={() => setMost(most * 10)}>
              {entries.length - most} more…
            </button>
          )}
        </div>
      )}
      {open && <div class="json-punctuation">{brackets[1]}</div>}
    </div>
  );
}

function Scalar({ value }: { value: null | boolean | number | string }) {
  const [whole, setWhole] = useState(false);
  if (typeof value !== 'string') return <span class={`json-${value === null ? 'null' : typeof value}`}>{String(value)}</span>;
  const text = whole ? value : value.slice(0, MOST_TEXT);
  return (
    <span class="json-string">
      {JSON.stringify(text)}
      {text.length < value.length && (
        <button type="button" class="json-more" onClick={() => setWhole(true)}>
          {value.length - text.length} more characters…
        </button>
      )}
    </span>
  );
}

// A payload's meaning, and behind a button its bytes.
export function PayloadView({ payload, label }: { payload: PayloadJson | undefined; label: string }) {
  const [raw, setRaw] = useState(false);
  const json = useMemo(() => parseJson(payload?.json), [payload?.json]);
  const bytes = useMemo(() => base64Bytes(payload?.value), [payload?.value]);
  if (payload === undefined) return <p class="muted">Nothing.</p>;
  return (
    <div class="payload">
      <div class="payload-head">
        <code title={payload.typeUrl}>{shortName(payload.typeUrl) || 'no type'}</code>
        <span class="muted">{formatBytes(bytes.length)}</span>
        {!payload.described && bytes.length > 0 && (
          <span class="muted" title="Start the user function, or run with --descriptor, and the fields get names.">
            not described
          </span>
        )}
        <span class="spacer" />
        <button type="button" class="link" aria-pressed={raw} onClick={() => setRaw(!raw)}>
          {raw ? 'JSON' : 'Raw bytes'}
        </button>
        <CopyButton text={raw ? (payload.value ?? '') : (payload.json ?? '')} label={raw ? 'Copy as base64' : 'Copy the JSON'} />
      </div>
      {raw || json === undefined ? <HexView bytes={bytes} label={`${label}: bytes`} /> : <JsonView value={json} label={label} />}
    </div>
  );
}

const MOST_BYTES = 4_096;

function HexView({ bytes, label }: { bytes: Uint8Array; label: string }) {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, MOST_BYTES); at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row.map((each) => each.toString(16).padStart(2, '0')).join(' ').padEnd(47);
    const text = row.map((each) => (each >= 0x20 && each < 0x7f ? String.fromCharCode(each) : '·')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex}  ${text}`);
  }
  if (bytes.length > MOST_BYTES) lines.push(`… ${formatBytes(bytes.length - MOST_BYTES)} more`);
  return (
    <pre class="hex" tabIndex={0} aria-label={label}>
      {lines.length === 0 ? 'no bytes' : lines.join('\n')}
    </pre>
  );
}
