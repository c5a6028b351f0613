// Lines over time, drawn by uPlot.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { preferences } from '../state/preferences';
import { useStore } from '../state/store';
import { formatTime } from './format';

export interface Series {
  title: string;
  // A CSS variable's name: "--series-1".
  color: string;
  values: (number | null)[];
  filled?: boolean;
  // Holds until the next value.
  stepped?: boolean;
  dashed?: boolean;
}

// A part of the time that stands out, in seconds since 1970.
export interface Shade {
  from: number;
  to: number;
  // A CSS variable's name.
  color: string;
}

interface ChartProps {
  title: string;
  // Seconds since 1970, rising.
  times: number[];
  series: Series[];
  format: (value: number) => string;
  height?: number;
  // There are no halves of what is counted.
  whole?: boolean;
  shades?: Shade[];
  // The place in `times` that is marked, while the mouse is elsewhere.
  marked?: number | undefined;
  // Where the mouse is in `times`; undefined when it has left.
  onHover?: (index: number | undefined) => void;
}

// Points without neighbours make no line, and are drawn as dots.
const isolated: uPlot.Series.Points.Filter = (plot, at) => {
  const values = plot.data[at]!;
  return [...values.keys()].filter((i) => values[i] != null && values[i - 1] == null && values[i + 1] == null);
};

// "14:03", or "14:03:05"
const clock = (seconds: number, exact: boolean) =>
  /\d\d:\d\d:\d\d/.exec(formatTime(new Date(seconds * 1_000).toISOString()))![0].slice(0, exact ? 8 : 5);

// Where the mouse is nowhere, the legend tells the newest values.
const tellNewest = (plot: uPlot) => {
  if (plot.cursor.idx == null) plot.setLegend({ idx: plot.data[0].length - 1 });
};

// 1, 2, 5, 10, 20, 50 …
const WHOLE_STEPS = Array.from({ length: 8 }, (_, i) => [1, 2, 5].map((each) => each * 10 ** i)).flat();

const systemDark = matchMedia('(prefers-color-scheme: dark)');
const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// A canvas knows nothing of variables, nor of light-dark(): what `element` would be coloured like, "rgb(1, 2, 3)".
function colorOf(element: HTMLElement, name: string): string {
  element.style.color = `var(${name})`;
  const { color } = getComputedStyle(element);
  element.style.color = '';
  return color;
}

const seeThrough = (color: string) => color.replace('rgb(', 'rgba(').replace(')', ', 0.13)');

function drawShades(plot: uPlot, shades: Shade[], place: HTMLElement): void {
  const { ctx, bbox } = plot;
  const clip = (seconds: number) => Math.min(bbox.left + bbox.width, Math.max(bbox.left, plot.valToPos(seconds, 'x', true)));
  for (const { from, to, color } of shades) {
    ctx.fillStyle = seeThrough(colorOf(place, color));
    ctx.fillRect(clip(from), bbox.top, clip(to) - clip(from), bbox.height);
  }
}

export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>();
  const format = useRef(props.format);
  format.current = props.format;
  const shades = useRef(props.shades);
  shades.current = props.shades;
  const onHover = useRef(props.onHover);
  onHover.current = props.onHover;
  const { theme, times: timeStyle } = useStore(preferences);
  const [dark, setDark] = useState(() => systemDark.matches);
  const shape = props.series.map(({ title, color, filled, stepped, dashed }) => `${title}|${color}|${filled}|${stepped}|${dashed}`).join();
  const data = useMemo<uPlot.AlignedData>(() => [props.times, ...props.series.map(({ values }) => values)], [props.times, props.series]);

  useEffect(() => {
    const element = place.current!;
    const border = colorOf(element, '--border');
    const axis: uPlot.Axis = {
      stroke: colorOf(element, '--muted'),
      grid: { stroke: border, width: 1 },
      ticks: { stroke: border, width: 1 },
      font: `11px ${css('--font')}`,
    };
    // Under a mouse that rests the chart moves on; what it pointed at stays.
    let told: MouseEvent | null | undefined;
    const point = ({ cursor: { event, idx } }: uPlot) => {
      if (event === told || event?.type !== 'mousemove' || idx == null) return;
      told = event;
      onHover.current?.(idx);
    };
    const made = new uPlot(
      {
        width: element.clientWidth || 400,
        height: props.height ?? 180,
        cursor: { sync: { key: 'charts' }, points: { size: 6 }, drag: { x: false, y: false, setScale: false } },
        legend: { live: true },
        hooks: {
          // New data move what was marked as well.
          setCursor: [tellNewest, point],
          setData: [tellNewest], ready: [tellNewest], drawClear: [(each) => drawShades(each, shades.current ?? [], element)],
        },
        scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
        axes: [{ ...axis, size: 32, values: (_, splits, __, ___, step) => splits.map((value) => clock(value, step < 60)) }, { ...axis, size: 64, ...(props.whole ? { incrs: WHOLE_STEPS } : {}), values: (_, splits) => splits.map((value) => format.current(value)) }],
        series: [
          { label: 'at', value: (_, value) => (value == null ? '' : clock(value, true)) },
          ...props.series.map(({ title, color, filled, stepped, dashed }): uPlot.Series => ({
            label: title,
            stroke: colorOf(element, color),
            width: 1.5,
            ...(filled ? { fill: seeThrough(colorOf(element, color)) } : {}),
            ...(dashed ? { dash: [6, 4] } : {}),
            ...(stepped ? { paths: uPlot.paths.stepped!({ align: 1 }) } : {}),
            points: { show: true, size: 4, filter: isolated },
            value: (_, value) => (value == null ? '–' : format.current(value)),
          })),
        ],
      },
      data,
      element,
    );
    // At once: a mark needs the scales.
    made.batch(() => undefined);
    plot.current = made;
    made.over.addEventListener('mouseleave', () => onHover.current?.(undefined));
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: props.height ?? 180 }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [shape, theme, dark, timeStyle, props.height]);

  useEffect(() => {
    const changed = () => setDark(systemDark.matches);
    systemDark.addEventListener('change', changed);
    return () => systemDark.removeEventListener('change', changed);
  }, []);

  useEffect(() => plot.current?.batch(() => plot.current?.setData(data)), [data]);

  const marking = useRef(false);
  useEffect(() => {
    if (props.marked === undefined && !marking.current) return;
    marking.current = props.marked !== undefined;
    const seconds = props.times[props.marked ?? -1];
    plot.current!.setCursor({ left: seconds === undefined ? -10 : plot.current!.valToPos(seconds, 'x'), top: -10 }, false);
    // Of several within a pixel it is this one.
    if (seconds === undefined) tellNewest(plot.current!);
    else plot.current!.setLegend({ idx: props.marked! });
  }, [props.marked, data, shape, theme, dark]);

  const latest = props.series
    .map(({ title, values }) => `${title} ${values.length === 0 || values.at(-1) == null ? 'nothing' : props.format(values.at(-1)!)}`)
    .join(', ');
  return (
    <figure class="chart">
      <figcaption>{props.title}</figcaption>
      <div ref={place} role="img" aria-label={`${props.title}: now ${latest || 'nothing'}`} />
    </figure>
  );
}

// A line without axes, for a glance.
export function Sparkline({ values, label }: { values: number[]; label: string }) {
  const most = Math.max(1, ...values);
  const step = values.length > 1 ? 100 / (values.length - 1) : 100;
  const points = values.map((value, i) => `${(i * step).toFixed(1)},${(30 - (28 * value) / most).toFixed(1)}`).join(' ');
  return (
    <svg class="sparkline" viewBox="0 0 100 32" preserveAspectRatio="none" role="img" aria-label={label}>
      <polyline points={points} />
    </svg>
  );
}
