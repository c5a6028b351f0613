// A call beside the tail.
import { useEffect } from 'preact/hooks';
import { href, setQuery, useRoute } from '../../router';
import { Button, LinkButton } from '../../ui/basics';
import { isTyping } from '../../ui/keyboard';
import { againHref, CallView, titleOf, useCall } from './call_view';

export function CallPanel({ trace }: { trace: string }) {
  const loaded = useCall(trace);
  const command = useRoute().query.get('command') ?? undefined;
  const close = () => setQuery({ call: null, command: null });
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || isTyping(event.target) || document.querySelector('dialog[open]')) return;
      close();
      document.querySelector<HTMLElement>('.calls-list .table')?.focus();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
  return (
    <aside class="card call-panel" aria-label="The chosen call">
      <header class="card-head">
        <h2>{titleOf(loaded.data, trace)}</h2>
        {loaded.data && <LinkButton kind="quiet" icon="try" href={againHref(loaded.data)}>Call again</LinkButton>}
        <LinkButton kind="quiet" icon="right" href={href(['calls', trace], { command })}>Open</LinkButton>
        <Button kind="quiet" icon="close" label="Close" onClick={close} />
      </header>
      <div class="call-panel-body" tabIndex={0} role="group" aria-label="The chosen call's details">
        <CallView trace={trace} loaded={loaded} />
      </div>
    </aside>
  );
}
