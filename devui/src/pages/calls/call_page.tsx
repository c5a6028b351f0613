// A call by itself.
import { href } from '../../router';
import { LinkButton, Page } from '../../ui/basics';
import { againHref, CallView, titleOf, useCall } from './call_view';

export function CallPage({ trace }: { trace: string }) {
  const loaded = useCall(trace);
  const title = titleOf(loaded.data, trace);
  return (
    <Page
      label={`Call ${title}`}
      title={<><a class="crumb" href={href(['calls'])}>Calls</a> <span class="muted">/</span> {title}</>}
      actions={loaded.data && <LinkButton icon="try" href={againHref(loaded.data)}>Call again</LinkButton>}
    >
      <CallView trace={trace} loaded={loaded} />
    </Page>
  );
}
