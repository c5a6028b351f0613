import { useMemo } from 'preact/hooks';
import { diffLines, fold, linesOf } from './diff';
import { plural } from './format';
import type { Json } from './json_view';

const SIGNS = { same: ' ', removed: '−', added: '+' };

// Both values in one column: what went, and what came. Either may be missing.
export function DiffView(props: { before: Json | undefined; after: Json | undefined; label: string }) {
  const lines = useMemo(() => fold(diffLines(linesOf(props.before), linesOf(props.after))), [props.before, props.after]);
  if (lines.every(({ kind }) => kind === 'folded')) return <p class="muted">No difference.</p>;
  return (
    <div class="diff" role="group" aria-label={props.label} tabIndex={0}>
      {lines.map((line, i) =>
        line.kind === 'folded' ? (
          <div key={i} class="diff-folded">⋯ {plural(line.count, 'equal line')}</div>
        ) : (
          <div key={i} class={`diff-line diff-${line.kind}`}>
            <span class="diff-sign">{SIGNS[line.kind]}</span>
            {line.kind !== 'same' && <span class="visually-hidden">{line.kind}: </span>}
            {line.text}
          </div>
        ),
      )}
    </div>
  );
}
