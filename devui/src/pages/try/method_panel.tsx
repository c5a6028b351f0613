// One method: its input, and what came of it.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, get, path } from '../../api/client';
import type { CommandTraceJson, MethodJson, ServiceJson } from '../../api/contract';
import { setQuery } from '../../router';
import { status } from '../../state/live';
import { kindOf, ownRoutes, shapeOf } from '../../state/services';
import { useStore } from '../../state/store';
import { announce } from '../../ui/announce';
import { Badge, Button, Card } from '../../ui/basics';
import { shortName } from '../../ui/format';
import { isObject, jsonName, parseInput } from '../../ui/json_input';
import { parseDuration } from '../../ui/durations';
import { CopyLines } from './copy_lines';
import { type Draft, draftKey, drafts, remember, setDraft } from './drafts';
import { History } from './history';
import { InputEditor } from './input_editor';
import { Options } from './options';
import { Result } from './result';
import { pretty, prettyText } from './schema';
import { type CallStream, openStream, type StreamState } from './stream';

interface MethodProps {
  service: ServiceJson;
  method: MethodJson;
  query: URLSearchParams;
}

// Of each name one value: that is what the start of a call has room for.
const headersOf = ({ headers, node }: Draft): [string, string][] => [
  ...headers.filter(({ name }) => name.trim() !== '').map(({ name, value }): [string, string] => [name.trim().toLowerCase(), value]),
  ...(node ? [['x-cloudstate-node', String(node)] as [string, string]] : []),
];

export function MethodPanel({ service, method, query }: MethodProps) {
  const [draft, change] = useDraft(service, method, query);
  const call = useCalls(service, method, draft);
  const readOnly = useStore(status)?.readOnly === true;
  const open = call.state !== undefined && call.state.phase !== 'ended';
  const problem = problemOf(draft);
  const canSend = !readOnly && problem === undefined && (!open || (method.clientStreaming === true && call.state?.phase === 'open'));
  const send = () => canSend && call.send();
  const pressed = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    send();
  };
  const [route] = ownRoutes(service, method);
  return (
    <div class="try-method" onKeyDown={pressed}>
      <Card
        class="try-input" label="Input"
        title={<span class="try-title">{shortName(service.name)}.{method.name} <Badge>{kindOf(service)}</Badge>{shapeOf(method) && <Badge tone="accent">{shapeOf(method)}</Badge>}</span>}
      >
        <div class="try-scroll">
          <p class="try-types muted" title={`${method.inputType} → ${method.outputType}`}>
            {shortName(method.inputType)} → {shortName(method.outputType)}{route && <> · <code>{route.method} {route.path}</code></>}
          </p>
          <InputEditor method={method} draft={draft} onChange={change} />
          <Options draft={draft} onChange={change} />
          <CopyLines service={service} method={method} draft={draft} sent={(call.state?.messages ?? []).filter(({ sent }) => sent).map(({ json }) => json)} />
        </div>
        <footer class="try-send">
          <Button
            kind="primary" icon="send" disabled={!canSend} onClick={send}
            title={readOnly ? 'The emulator was started with --read-only: nothing can be called from here' : (problem ?? 'Ctrl+Enter')}
          >
            {call.state?.phase === 'open' && method.clientStreaming ? 'Send another' : 'Send'}
          </Button>
          {open && method.clientStreaming && call.state?.phase === 'open' && (
            <Button icon="check" onClick={call.finish} title="No more messages: the other side hears the end">Finish sending</Button>
          )}
          {open && <Button icon="stop" onClick={call.cancel}>Cancel</Button>}
          <span class="try-hint">{readOnly ? 'Started with --read-only: nothing can be called.' : (problem ?? (!open && <><kbd>Ctrl</kbd><kbd>Enter</kbd></>))}</span>
        </footer>
      </Card>
      <div class="try-right">
        <Result method={method} state={call.state} />
        <History service={service.name ?? ''} method={method.name ?? ''} />
      </div>
    </div>
  );
}

function problemOf(draft: Draft): string | undefined {
  const { text, deadline } = draft;
  const parsed = parseInput(text);
  if ('problem' in parsed) return 'The input is not JSON yet';
  const names = headersOf(draft).map(([name]) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return `Metadata ${twice} is there twice: give it one value`;
  return deadline.trim() !== '' && parseDuration(deadline) === undefined ? 'Write the deadline as 500ms or 5s' : undefined;
}

// The call that runs or ran last; it is cancelled when the page goes elsewhere.
function useCalls(service: ServiceJson, method: MethodJson, draft: Draft) {
  const [state, setState] = useState<StreamState | undefined>(undefined);
  const stream = useRef<CallStream | undefined>(undefined);
  useEffect(() => () => stream.current?.cancel(), []);
  const start = () => {
    const began = Date.now();
    const names = { service: service.name ?? '', method: method.name ?? '' };
    const opened = openStream({ ...names, headers: Object.fromEntries(headersOf(draft)), deadline: parseDuration(draft.deadline) }, (next) => {
      if (stream.current !== opened) return;
      setState(next);
      if (next.phase !== 'ended') return;
      stream.current = undefined;
      remember({ time: began, ...names, draft, code: next.end && (next.end.code ?? 0), traceId: next.traceId });
    });
    stream.current = opened;
  };
  const send = () => {
    const text = draft.text.trim();
    if (stream.current === undefined) {
      setState({ phase: 'open', messages: [], leftOut: 0, headers: {}, traceId: '' });
      start();
    }
    stream.current!.send(text);
    if (!method.clientStreaming) stream.current!.finish();
  };
  return { state, send, finish: () => stream.current?.finish(), cancel: () => stream.current?.cancel() };
}

// What is written for this method: what the address asks for, else what was there before, else the example.
function useDraft(service: ServiceJson, method: MethodJson, query: URLSearchParams): [Draft, (changes: Partial<Draft>) => void] {
  const key = draftKey(service.name ?? '', method.name ?? '');
  const draft = useStore(drafts).get(key) ?? { text: prettyText(method.example || '{}'), headers: [], deadline: '', node: 0 };
  const now = useRef(draft);
  now.current = draft;
  const change = useCallback((changes: Partial<Draft>) => setDraft(key, { ...now.current, ...changes }), [key]);
  const entity = query.get('entity');
  const node = query.get('node');
  const trace = query.get('call');
  useEffect(() => {
    const { text, node: chosen } = now.current;
    if (entity === null && node === null) return;
    change({ text: entity === null ? text : withEntity(text, method, entity), node: node === null ? chosen : Number(node) || 0 });
  }, [entity, node, change]);
  useEffect(() => {
    if (trace === null) return;
    const before = drafts.get().get(key);
    const leaving = new AbortController();
    inputOf(trace, leaving.signal).then(
      (json) => {
        if (leaving.signal.aborted) return;
        // Who types meanwhile knows better.
        const untouched = drafts.get().get(key) === before;
        if (json === undefined) announce('That call’s input is not kept; this is an example.', 'bad');
        else if (untouched) change({ text: prettyText(json) });
        else announce('The call’s input came late: what you have typed is kept.');
        setQuery({ call: null });
      },
      (error: unknown) => {
        if (leaving.signal.aborted) return;
        const gone = error instanceof ApiError && error.code === 'NOT_FOUND';
        announce(gone ? 'That call is no longer kept; this is an example.' : `That call’s input could not be loaded: ${String(error)}`, 'bad');
      },
    );
    return () => leaving.abort();
  }, [trace, change]);
  return [draft, change];
}

// Where one field is the key.
function withEntity(text: string, { keyFields = [], example }: MethodJson, entity: string): string {
  const parsed = parseInput(text || example || '{}');
  const [field] = keyFields;
  if (keyFields.length !== 1 || field === undefined || !('value' in parsed) || !isObject(parsed.value)) return text;
  const name = field in parsed.value ? field : jsonName(field);
  return pretty({ ...parsed.value, [name]: entity });
}

// The first message that the client of a kept call sent.
async function inputOf(trace: string, signal: AbortSignal): Promise<string | undefined> {
  const { steps = [] } = await get<CommandTraceJson>(path`/v1/commands/${trace}`, {}, signal);
  const sent = steps.find(({ command, kind, payload }) => (command ?? 0) === 0 && payload !== undefined && (kind === 'received' || kind === 'sent'));
  return sent?.payload?.described ? sent.payload.json : undefined;
}
