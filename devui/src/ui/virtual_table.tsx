// A table of any length: only the rows that are seen exist. With the keyboard: arrows, Page Up and Down, Home, End, Enter.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface Column<Row> {
  key: string;
  title: string;
  // A CSS grid track: "120px", "minmax(160px, 2fr)".
  width: string;
  numeric?: boolean;
  render(row: Row, index: number): ComponentChildren;
}

interface VirtualTableProps<Row> {
  label: string;
  columns: Column<Row>[];
  count: number;
  // Undefined while a row is still to be loaded.
  row(index: number): Row | undefined;
  rowKey(row: Row, index: number): string | number;
  // Marks rows, such as "row-bad".
  rowClass?(row: Row): string;
  selected?: number;
  onSelect?(index: number, row: Row): void;
  // Enter or a double click; without it, selecting is all there is.
  onOpen?(index: number, row: Row): void;
  // Rows that are seen, to load what is missing.
  onVisible?(first: number, last: number): void;
  // Scrolls there when it changes.
  scrollTo?: number;
  empty?: ComponentChildren;
  // Its height follows the number of rows up to this, otherwise it fills its place.
  mostRows?: number;
}

export const ROW_HEIGHT = 32;
const OVERSCAN = 8;
// Browsers cannot lay out elements beyond some tens of millions of pixels.
const MOST_HEIGHT = 8_000_000;
// A chosen row is looked for so far from where it was.
const MOST_MOVED = 1_000;

export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const grid = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const [active, setActive] = useState(props.selected ?? 0);
  // The key of the row that was chosen, where nobody says which one is selected.
  const chosen = useRef<string | number>();
  const waiting = useRef<number>();
  const { count, onVisible } = props;

  const whole = count * ROW_HEIGHT;
  const height = Math.min(whole, MOST_HEIGHT);
  // Of very long tables the scroll bar is compressed.
  const scale = height > view.height ? (whole - view.height) / (height - view.height) : 1;
  const offset = view.top * scale;
  const first = Math.max(0, Math.floor(offset / ROW_HEIGHT) - OVERSCAN);
  const last = Math.min(count, Math.ceil((offset + view.height) / ROW_HEIGHT) + OVERSCAN);

  // The head stays at the top and covers one row.
  const measure = () => {
    // A browser may tell of scrolling after the table has gone.
    if (grid.current === null) return;
    const { scrollTop: top, clientHeight } = grid.current;
    const seen = Math.max(0, clientHeight - ROW_HEIGHT);
    setView((before) => (before.top === top && before.height === seen ? before : { top, height: seen }));
  };

  useLayoutEffect(() => {
    const observer = new ResizeObserver(measure);
    observer.observe(grid.current!);
    measure();
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (last > first) onVisible?.(first, last - 1);
  }, [first, last, count, onVisible]);

  const reveal = (index: number, where: 'nearest' | 'middle') => {
    const element = grid.current!;
    const top = index * ROW_HEIGHT;
    const seen = element.clientHeight - ROW_HEIGHT;
    let wanted = offset;
    if (where === 'middle') wanted = top - seen / 2;
    else if (top < offset) wanted = top;
    else if (top + ROW_HEIGHT > offset + seen) wanted = top + ROW_HEIGHT - seen;
    element.scrollTop = Math.max(0, wanted) / scale;
  };

  // Keys go on from the selected row, also where it was selected elsewhere or rows came in before it. At once: after the next
  // key this would bring back the row before it.
  useLayoutEffect(() => {
    if (props.selected !== undefined) setActive(props.selected);
  }, [props.selected]);

  // It stays active when rows come in before it.
  const keyOf = (index: number) => {
    const row = index < count ? props.row(index) : undefined;
    return row === undefined ? undefined : props.rowKey(row, index);
  };
  useLayoutEffect(() => {
    if (props.selected !== undefined || chosen.current === undefined || keyOf(active) === chosen.current) return;
    for (let i = Math.max(0, active - MOST_MOVED); i < active + MOST_MOVED; ++i) {
      if (keyOf(i) === chosen.current) return setActive(i);
    }
    chosen.current = undefined;
  });

  useEffect(() => {
    if (props.scrollTo === undefined) return;
    setActive(props.scrollTo);
    reveal(props.scrollTo, 'middle');
  }, [props.scrollTo]);

  const choose = (index: number) => {
    const row = props.row(index);
    setActive(index);
    waiting.current = row === undefined ? index : undefined;
    chosen.current = row === undefined ? undefined : props.rowKey(row, index);
    if (row !== undefined) props.onSelect?.(index, row);
  };

  // A row that was chosen before it was there.
  useEffect(() => {
    if (waiting.current !== undefined && props.row(waiting.current) !== undefined) choose(waiting.current);
  });

  const key = (event: KeyboardEvent) => {
    if (count === 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(view.height / ROW_HEIGHT) - 1);
    const steps: Record<string, number> = {
      ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: count - 1,
    };
    if (event.key === 'Enter' && event.target === event.currentTarget) {
      const row = props.row(active);
      if (row !== undefined) (props.onOpen ?? props.onSelect)?.(active, row);
      event.preventDefault();
      return;
    }
    const wanted = steps[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    const next = Math.min(count - 1, Math.max(0, wanted));
    reveal(next, 'nearest');
    choose(next);
  };

  const template = props.columns.map(({ width }) => width).join(' ');
  const rows = [];
  for (let i = first; i < last; ++i) {
    const row = props.row(i);
    rows.push(
      <div
        key={row === undefined ? `?${i}` : props.rowKey(row, i)}
        role="row" id={`${idOf(props.label)}-${i}`} aria-rowindex={i + 2} aria-selected={i === props.selected}
        class={`row ${i === props.selected ? 'row-selected' : ''} ${i === active ? 'row-active' : ''} ${row && props.rowClass ? props.rowClass(row) : ''}`}
        style={{ gridTemplateColumns: template, transform: `translateY(${i * ROW_HEIGHT - offset + view.top}px)` }}
        onClick={() => choose(i)} onDblClick={() => row !== undefined && props.onOpen?.(i, row)}
      >
        {props.columns.map((column) => (
          <div key={column.key} role="gridcell" class={column.numeric ? 'cell cell-numeric' : 'cell'}>
            {row === undefined ? <span class="cell-waiting" /> : column.render(row, i)}
          </div>
        ))}
      </div>,
    );
  }
  const outer = props.mostRows === undefined || count === 0 ? undefined : { height: `${(Math.max(1, Math.min(count, props.mostRows)) + 1) * ROW_HEIGHT}px` };
  return (
    <div
      class={props.mostRows === undefined ? 'table table-fill' : 'table'} style={outer} ref={grid} tabIndex={0}
      role="grid" aria-label={props.label} aria-rowcount={count + 1} aria-activedescendant={count > 0 ? `${idOf(props.label)}-${active}` : undefined}
      onKeyDown={key} onScroll={measure}
    >
      <div role="rowgroup" class="table-head">
        <div role="row" class="row row-head" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
          {props.columns.map((column) => (
            <div key={column.key} role="columnheader" class={column.numeric ? 'cell cell-numeric' : 'cell'}>
              {column.title}
            </div>
          ))}
        </div>
      </div>
      {count > 0 && (
        <div role="rowgroup" class="table-rows" style={{ height: `${height}px` }}>
          {rows}
        </div>
      )}
      {count === 0 && (
        <div role="rowgroup">
          <div role="row">
            <div role="gridcell" class="table-empty">{props.empty}</div>
          </div>
        </div>
      )}
    </div>
  );
}

const idOf = (label: string) => `table-${label.replace(/[^a-z0-9]+/gi, '-').toLowerCase()}`;
