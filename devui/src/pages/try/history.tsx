// The calls of this tab, to make again.
import { navigate, href } from '../../router';
import { useStore } from '../../state/store';
import { Ago, Button, Card, CodeBadge } from '../../ui/basics';
import { shortName } from '../../ui/format';
import { draftKey, forget, history, type PastCall, setDraft } from './drafts';

export function History({ service, method }: { service: string; method: string }) {
  const calls = useStore(history);
  const again = (call: PastCall) => {
    setDraft(draftKey(call.service, call.method), call.draft);
    if (call.service !== service || call.method !== method) navigate(href(['try', call.service, call.method]));
  };
  if (calls.length === 0) return null;
  return (
    <Card class="try-history" title="Calls of this tab" label="Calls of this tab" actions={<Button kind="quiet" small onClick={forget}>Forget</Button>}>
      <ul>
        {calls.map((call) => (
          <li key={`${call.time} ${call.traceId}`}>
            <button type="button" onClick={() => again(call)} title="Take this input again">
              <span class="try-past-name">{shortName(call.service)}.{call.method}</span>
              <code>{call.draft.text.replace(/\s+/g, ' ').slice(0, 200)}</code>
              {call.code === undefined ? <span class="muted">not ended</span> : <CodeBadge code={call.code} />}
              <span class="muted"><Ago time={new Date(call.time).toISOString()} /></span>
            </button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
