// Calls as they end, and one of them step by step: `#/calls` and `#/calls/TRACE`.
import '../../styles/calls.css';
import type { Route } from '../../router';
import { CallPage } from './call_page';
import { CallList } from './call_list';

export function CallsPage({ route }: { route: Route }) {
  const trace = route.segments[1];
  return trace === undefined ? <CallList query={route.query} /> : <CallPage trace={trace} key={trace} />;
}
