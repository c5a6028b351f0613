// What came of a call: messages as they go, and how it ended.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { MethodJson } from '../../api/contract';
import { CallLink, Card, CodeBadge, CopyButton, EmptyState } from '../../ui/basics';
import { durationMs, formatCount, formatDuration } from '../../ui/format';
import { Icon } from '../../ui/icon';
import { JsonView, parseJson } from '../../ui/json_view';
import { errorWords } from '../calls/error_words';
import type { StreamMessage, StreamState } from './stream';

export function Result({ method, state }: { method: MethodJson; state: StreamState | undefined }) {
  const streams = method.clientStreaming || method.serverStreaming;
  return (
    <Card class="try-result" title="Answer" label="Answer" actions={<Outcome state={state} />}>
      {state === undefined ? (
        <EmptyState icon="send" title="Nothing sent yet">
          <p>
            {streams ? 'Messages appear here as they are sent and received.' : 'The reply appears here, with its headers and a link to all that the call set off.'}
            {method.clientStreaming && ' Send as many as you like, then finish sending.'}
          </p>
        </EmptyState>
      ) : <Outgoing state={state} streams={streams === true} />}
    </Card>
  );
}

// There from the beginning: what appears in it is read out.
function Outcome({ state }: { state: StreamState | undefined }) {
  const { end, phase, traceId } = state ?? {};
  return (
    <span class="try-outcome" role="status">
      {phase !== undefined && phase !== 'ended' && <><span class="spinner" aria-hidden="true" /> {phase === 'open' ? 'Open' : 'Waiting for the answer'}</>}
      {end && <><CodeBadge code={end.code} /> <span>{formatDuration(durationMs(end.duration))}</span></>}
      {traceId && <CallLink trace={traceId}>Trace</CallLink>}
    </span>
  );
}

function Outgoing({ state, streams }: { state: StreamState; streams: boolean }) {
  const { end, problem, headers, messages, leftOut } = state;
  const replies = messages.filter(({ sent }) => !sent);
  const failed = (end?.code ?? 0) !== 0;
  return (
    <div class="try-answer">
      {(problem || failed) && (
        <div class="call-failure" role="alert">
          <strong>{problem ?? (end!.message || 'No text came with this failure.')}</strong>
          {failed && <span>{errorWords(end!.code)}</span>}
        </div>
      )}
      {!streams && replies.map((reply) => <Reply key={reply.number} json={reply.json} />)}
      {streams && <Messages messages={messages} leftOut={leftOut} ended={state.phase === 'ended'} />}
      {Object.keys(headers).length > 0 && (
        <details class="try-headers">
          <summary>Headers of the answer ({Object.keys(headers).length})</summary>
          <dl>{Object.entries(headers).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
        </details>
      )}
    </div>
  );
}

const Reply = ({ json }: { json: string }) => (
  <div class="try-reply">
    <CopyButton text={json} label="Copy the reply" />
    <JsonView value={parseJson(json) ?? {}} label="Reply" />
  </div>
);

function Messages({ messages, leftOut, ended }: { messages: StreamMessage[]; leftOut: number; ended: boolean }) {
  const list = useRef<HTMLOListElement>(null);
  const follow = useRef(true);
  useEffect(() => {
    if (follow.current) list.current?.scrollTo(0, list.current.scrollHeight);
  }, [messages]);
  const scrolled = ({ currentTarget: { scrollTop, clientHeight, scrollHeight } }: { currentTarget: HTMLElement }) => {
    follow.current = scrollTop + clientHeight > scrollHeight - 24;
  };
  return (
    <>
      {leftOut > 0 && <p class="muted">{formatCount(leftOut)} older messages are no longer shown.</p>}
      {messages.length === 0 && <p class="muted">{ended ? 'It ended without a message.' : 'No message yet.'}</p>}
      <ol class="try-messages" ref={list} onScroll={scrolled} tabIndex={0} aria-label="Messages">
        {messages.map((message) => <Message key={message.number} message={message} />)}
      </ol>
    </>
  );
}

function Message({ message: { number, sent, at, json } }: { message: StreamMessage }) {
  const [open, setOpen] = useState(false);
  return (
    <li class={sent ? 'try-message try-sent' : 'try-message'}>
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class="try-direction"><Icon name={sent ? 'right' : 'left'} />{sent ? 'sent' : 'received'}</span>
        <span class="mono muted">{formatDuration(at)}</span>
        {!open && <code>{json.replace(/\s+/g, ' ').slice(0, 300)}</code>}
      </button>
      {open && <JsonView value={parseJson(json) ?? {}} label={`Message ${number}`} />}
    </li>
  );
}
