// The same call for a terminal.
import type { MethodJson, ServiceJson } from '../../api/contract';
import { status } from '../../state/live';
import { useStore } from '../../state/store';
import { CopyButton } from '../../ui/basics';
import { cliLine } from '../../ui/cli';
import { parseDuration } from '../../ui/durations';
import type { Draft } from './drafts';
import { callWords, curlLine, grpcurlLine, type ShellCall } from '../../ui/shell';

interface CopyLinesProps {
  service: ServiceJson;
  method: MethodJson;
  draft: Draft;
  // Messages of a stream that were sent already.
  sent: string[];
}

export function CopyLines({ service, method, draft, sent }: CopyLinesProps) {
  const now = useStore(status);
  const call: ShellCall = {
    service: service.name ?? '', method: method.name ?? '', messages: method.clientStreaming && sent.length > 0 ? sent : [draft.text.trim() || '{}'],
    headers: draft.headers.filter(({ name }) => name.trim() !== ''), deadline: parseDuration(draft.deadline), node: draft.node,
  };
  const client = now?.clientAddress || '127.0.0.1:9000';
  const curl = curlLine(call, method, client);
  return (
    <section class="try-copy" aria-label="Copy as">
      <h3>Copy as</h3>
      {curl === undefined
        ? <span class="muted" title="Plain HTTP cannot send a stream of messages">no curl for streams</span>
        : <CopyButton text={curl} label={curl}>curl</CopyButton>}
      <CopyButton text={grpcurlLine(call, client)} label={grpcurlLine(call, client)}>grpcurl</CopyButton>
      <CopyButton text={cliLine(callWords(call))} label={cliLine(callWords(call))}>cloudstate-dev call</CopyButton>
    </section>
  );
}
