// How this run was started.
import { get } from '../api/client';
import type { SettingsJson } from '../api/contract';
import { status } from './live';
import { useStore } from './store';
import { useQuery } from './use_query';

export function useRun() {
  const { data } = useQuery('settings', (signal) => get<SettingsJson>('/v1/settings', {}, signal));
  const command = useStore(status)?.userFunction?.command ?? [];
  const valueOf = (flag: string) => data?.settings?.find((each) => each.flag === flag)?.value ?? '';
  const sample = valueOf('--sample');
  return {
    valueOf,
    // The words of `cloudstate-dev run` that have the same user function served; none where somebody else starts it.
    served: sample !== '' ? ['--sample', sample] : command.length > 0 ? ['--', ...command] : [],
  };
}
