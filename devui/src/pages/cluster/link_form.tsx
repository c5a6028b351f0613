// What a link, or all of them, does to messages.
import { useState } from 'preact/hooks';
import type { LinkSettingsJson } from '../../api/contract';
import { bytesOf, type Deed, setLink } from '../../state/steering';
import { Button, Field, Select } from '../../ui/basics';
import { num } from '../../ui/format';
import type { Pair } from './data';
import { DeedLine } from './deed_row';

interface Values {
  latency: string;
  loss: string;
  duplicate: string;
  reorder: string;
  bandwidth: string;
}

const PERFECT: Values = { latency: '', loss: '', duplicate: '', reorder: '', bandwidth: '' };
const EXAMPLES: { title: string; values: Values }[] = [
  { title: 'Another region', values: { ...PERFECT, latency: 'normal(80ms, 10ms)' } },
  { title: 'Bad wireless', values: { ...PERFECT, latency: 'uniform(1ms, 200ms)', loss: '10', reorder: '5' } },
  { title: 'Narrow', values: { ...PERFECT, bandwidth: '16KiB' } },
  { title: 'Perfect', values: PERFECT },
];

const percentOf = (share: number | string | undefined) => (num(share) === 0 ? '' : String(Number((num(share) * 100).toPrecision(6))));

const valuesOf = (settings: LinkSettingsJson | undefined): Values => ({
  latency: settings?.latency ?? '',
  loss: percentOf(settings?.loss), duplicate: percentOf(settings?.duplicate), reorder: percentOf(settings?.reorder),
  bandwidth: num(settings?.bytesPerSecond) === 0 ? '' : String(settings?.bytesPerSecond),
});

// Undefined for what is no share of 100.
function shareOf(text: string): number | undefined {
  const value = text.trim() === '' ? 0 : Number(text.replace('%', ''));
  return value >= 0 && value <= 100 ? value / 100 : undefined;
}

function settingsOf(values: Values): LinkSettingsJson | undefined {
  const [loss, duplicate, reorder] = [shareOf(values.loss), shareOf(values.duplicate), shareOf(values.reorder)];
  const bytes = bytesOf(values.bandwidth);
  if (loss === undefined || duplicate === undefined || reorder === undefined || bytes === undefined) return undefined;
  return { latency: values.latency.trim(), loss, duplicate, reorder, bytesPerSecond: String(bytes) };
}

// Of one link, or, without one, of all.
export function LinkForm({ pair, settings, done }: { pair?: Pair; settings?: LinkSettingsJson; done: () => void }) {
  // What is not touched follows the link, which others may change.
  const [typed, setTyped] = useState<Partial<Values>>({});
  const values = { ...valuesOf(settings ?? pair?.there.settings), ...typed };
  const [way, setWay] = useState('both');
  const set = (changes: Partial<Values>) => setTyped({ ...typed, ...changes });
  const chosen = settingsOf(values);
  const share = (text: string) => (shareOf(text) === undefined ? { error: '0 to 100' } : {});
  return (
    <div class="cl-form">
      <div class="cl-examples" role="group" aria-label="Examples">
        {EXAMPLES.map(({ title, values: example }) => (
          <Button key={title} small onClick={() => setTyped(example)}>{title}</Button>
        ))}
      </div>
      {pair && (
        <Field label="Direction">
          <Select
            value={way} onChange={setWay}
            options={[{ value: 'both', title: 'both ways' }, { value: 'there', title: `${pair.a} → ${pair.b}` }, { value: 'back', title: `${pair.b} → ${pair.a}` }]}
          />
        </Field>
      )}
      <Field label="Latency" hint="5ms, uniform(1ms, 20ms), normal(10ms, 3ms) or exponential(1ms, 10ms)">
        <input value={values.latency} spellcheck={false} placeholder="none" onInput={(event) => set({ latency: event.currentTarget.value })} />
      </Field>
      <div class="cl-shares">
        <Field label="Lost, %" {...share(values.loss)}>
          <input value={values.loss} inputMode="decimal" placeholder="0" onInput={(event) => set({ loss: event.currentTarget.value })} />
        </Field>
        <Field label="Twice, %" {...share(values.duplicate)}>
          <input value={values.duplicate} inputMode="decimal" placeholder="0" onInput={(event) => set({ duplicate: event.currentTarget.value })} />
        </Field>
        <Field label="Overtaking, %" {...share(values.reorder)}>
          <input value={values.reorder} inputMode="decimal" placeholder="0" onInput={(event) => set({ reorder: event.currentTarget.value })} />
        </Field>
      </div>
      <Field label="Bytes per second" hint="64KiB or 65536; nothing for no limit" {...(bytesOf(values.bandwidth) === undefined ? { error: 'A size such as 64KiB' } : {})}>
        <input value={values.bandwidth} spellcheck={false} placeholder="no limit" onInput={(event) => set({ bandwidth: event.currentTarget.value })} />
      </Field>
      <DeedLine deed={chosen && deedOf(chosen, pair, way)} done={done} kind="primary" why="Something above is not understood.">
        {pair === undefined ? 'Set for all links' : 'Set for this link'}
      </DeedLine>
    </div>
  );
}

function deedOf(settings: LinkSettingsJson, pair: Pair | undefined, way: string): Deed {
  if (pair === undefined) return setLink({ settings });
  const [from, to] = way === 'back' ? [pair.b, pair.a] : [pair.a, pair.b];
  return setLink({ from, to, oneWay: way !== 'both', settings });
}
