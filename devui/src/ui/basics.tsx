// The small pieces that all pages are made of.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../api/client';
import { href, navigate, setQuery } from '../router';
import { preferences } from '../state/preferences';
import { useStore } from '../state/store';
import { announce } from './announce';
import { codeName, formatAgo, formatTime } from './format';
import { Icon, type IconName } from './icon';

export function Page(props: { title: ComponentChildren; label: string; actions?: ComponentChildren; children: ComponentChildren; wide?: boolean }) {
  useEffect(() => {
    document.title = `${props.label} · cloudstate-dev`;
  }, [props.label]);
  return (
    <div class={props.wide ? 'page page-wide' : 'page'}>
      <header class="page-head">
        <h1 tabIndex={-1}>{props.title}</h1>
        <div class="page-actions">{props.actions}</div>
      </header>
      {props.children}
    </div>
  );
}

export function Card(props: { title?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren; class?: string; label?: string }) {
  return (
    <section class={`card ${props.class ?? ''}`} aria-label={props.label}>
      {(props.title !== undefined || props.actions !== undefined) && (
        <header class="card-head">
          <h2>{props.title}</h2>
          <div class="card-actions">{props.actions}</div>
        </header>
      )}
      {props.children}
    </section>
  );
}

type ButtonProps = {
  onClick?: (event: MouseEvent) => void;
  children?: ComponentChildren;
  icon?: IconName;
  kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  disabled?: boolean;
  // Why it cannot be used, or what it does: shown on hover.
  title?: string;
  // For buttons that have an icon only.
  label?: string;
  pressed?: boolean;
  type?: 'button' | 'submit';
  small?: boolean;
};

export function Button(props: ButtonProps) {
  return (
    <button
      type={props.type ?? 'button'}
      class={`button button-${props.kind ?? 'plain'} ${props.small ? 'button-small' : ''}`}
      onClick={props.onClick}
      disabled={props.disabled}
      title={props.title ?? props.label}
      aria-label={props.label}
      aria-pressed={props.pressed}
    >
      {props.icon && <Icon name={props.icon} />}
      {props.children}
    </button>
  );
}

export function LinkButton(props: { href: string; children: ComponentChildren; icon?: IconName; kind?: 'plain' | 'primary' | 'quiet' }) {
  return (
    <a class={`button button-${props.kind ?? 'plain'}`} href={props.href}>
      {props.icon && <Icon name={props.icon} />}
      {props.children}
    </a>
  );
}

export type Tone = 'neutral' | 'good' | 'warn' | 'bad' | 'accent';

export const Badge = (props: { tone?: Tone; children: ComponentChildren; title?: string }) => (
  <span class={`badge badge-${props.tone ?? 'neutral'}`} title={props.title}>
    {props.children}
  </span>
);

// A gRPC status code.
export const CodeBadge = ({ code }: { code: number | undefined }) => (
  <Badge tone={(code ?? 0) === 0 ? 'good' : 'bad'}>{codeName(code)}</Badge>
);

export const Dot = ({ tone, label }: { tone: Tone; label: string }) => (
  <span class={`dot dot-${tone}`} role="img" aria-label={label} title={label} />
);

export function CopyButton(props: { text: string | (() => string | Promise<string>); label: string; children?: ComponentChildren }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    const text = typeof props.text === 'string' ? props.text : await props.text();
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      announce('The browser does not let this page copy.', 'bad');
      return;
    }
    setCopied(true);
    announce('Copied');
    window.setTimeout(() => setCopied(false), 1_500);
  };
  return (
    <Button kind="quiet" small icon={copied ? 'check' : 'copy'} onClick={() => void copy()} label={props.children ? undefined : props.label} title={props.label}>
      {props.children}
    </Button>
  );
}

// A line to paste into a terminal.
export const Command = ({ text, label }: { text: string; label?: string }) => (
  <div class="command">
    <code>{text}</code>
    <CopyButton text={text} label={label ?? 'Copy this command'} />
  </div>
);

export function EmptyState(props: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={props.icon} />
      <h2>{props.title}</h2>
      <div class="empty-text">{props.children}</div>
    </div>
  );
}

export function ErrorBox({ error, onRetry }: { error: ApiError; onRetry?: () => void }) {
  return (
    <div class="error-box" role="alert">
      <Icon name="alert" />
      <div>
        <strong>{error.code}</strong> {error.message}
      </div>
      {onRetry && <Button small onClick={onRetry}>Try again</Button>}
    </div>
  );
}

export const Loading = ({ what }: { what: string }) => (
  <div class="loading" role="status">
    <span class="spinner" aria-hidden="true" /> Loading {what}…
  </div>
);

// Time of day, with how long ago on hover.
export function Time({ time }: { time: string | undefined }) {
  useStore(preferences);
  if (time === undefined) return null;
  return (
    <time dateTime={time} title={`${time} (${formatAgo(time)})`}>
      {formatTime(time)}
    </time>
  );
}

// "3 s ago", kept right.
export function Ago({ time }: { time: string | undefined }) {
  const [, setTurn] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => setTurn((turn) => turn + 1), 5_000);
    return () => window.clearInterval(timer);
  }, []);
  if (time === undefined) return null;
  return (
    <time dateTime={time} title={time}>
      {formatAgo(time)}
    </time>
  );
}

// Views of one thing; which one stands in the address under `param`.
export function Tabs(props: { tabs: { key: string; title: ComponentChildren }[]; active: string; param?: string; onSelect?: (key: string) => void; label: string; children: ComponentChildren }) {
  const list = useRef<HTMLDivElement>(null);
  const select = (key: string) => (props.onSelect ? props.onSelect(key) : setQuery({ [props.param ?? 'view']: key === props.tabs[0]?.key ? null : key }));
  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const at = props.tabs.findIndex(({ key }) => key === props.active);
    const next = props.tabs[(at + step + props.tabs.length) % props.tabs.length]!;
    select(next.key);
    list.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(next.key)}"]`)?.focus();
  };
  return (
    <div class="tabs">
      <div class="tab-list" role="tablist" aria-label={props.label} ref={list} onKeyDown={move}>
        {props.tabs.map(({ key, title }) => (
          <button
            type="button" role="tab" key={key} data-key={key} aria-selected={key === props.active}
            tabIndex={key === props.active ? 0 : -1} onClick={() => select(key)}
          >
            {title}
          </button>
        ))}
      </div>
      <div class="tab-panel" role="tabpanel" aria-label={`${props.label}: ${props.active}`} tabIndex={0}>
        {props.children}
      </div>
    </div>
  );
}

export function Field(props: { label: string; hint?: ComponentChildren; error?: string; children: JSX.Element; inline?: boolean }) {
  return (
    <label class={props.inline ? 'field field-inline' : 'field'}>
      <span class="field-label">{props.label}</span>
      {props.children}
      {props.hint && <span class="field-hint">{props.hint}</span>}
      {props.error && <span class="field-error" role="alert">{props.error}</span>}
    </label>
  );
}

export function Select(props: { value: string; options: { value: string; title: string }[]; onChange: (value: string) => void; label?: string }) {
  return (
    <select value={props.value} aria-label={props.label} onChange={(event) => props.onChange(event.currentTarget.value)}>
      {props.options.map(({ value, title }) => (
        <option key={value} value={value} selected={value === props.value}>
          {title}
        </option>
      ))}
    </select>
  );
}

// Tells what was typed after a pause.
export function SearchInput(props: { value: string; onChange: (value: string) => void; placeholder: string; label: string }) {
  const timer = useRef(0);
  const input = useRef<HTMLInputElement>(null);
  // What is still to be told belongs to this page, not to the next one.
  useEffect(() => () => window.clearTimeout(timer.current), []);
  useEffect(() => {
    if (input.current && document.activeElement !== input.current) input.current.value = props.value;
  }, [props.value]);
  const typed = (value: string, wait: number) => {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => props.onChange(value), wait);
  };
  return (
    <div class="search">
      <Icon name="search" />
      <input
        ref={input} type="search" data-search defaultValue={props.value} placeholder={props.placeholder} aria-label={props.label} spellcheck={false}
        onInput={(event) => typed(event.currentTarget.value, 200)}
        onKeyDown={(event) => event.key === 'Enter' && typed(event.currentTarget.value, 0)}
      />
    </div>
  );
}

export const EntityLink = (props: { persistenceId: string | undefined; entityId: string | undefined; at?: number }) => (
  <a href={href(['entities', props.persistenceId ?? '', props.entityId ?? ''], { at: props.at })}>
    {props.persistenceId}/{props.entityId}
  </a>
);

export const CallLink = ({ trace, children }: { trace: string; children?: ComponentChildren }) => (
  <a href={href(['calls', trace])}>{children ?? trace}</a>
);

// Figures side by side.
export const Stats = ({ children }: { children: ComponentChildren }) => <dl class="stats">{children}</dl>;
export const Stat = (props: { label: string; children: ComponentChildren; title?: string }) => (
  <div class="stat" title={props.title}>
    <dt>{props.label}</dt>
    <dd>{props.children}</dd>
  </div>
);

export const go = (segments: string[], query?: Record<string, string | number | undefined>) => navigate(href(segments, query));
