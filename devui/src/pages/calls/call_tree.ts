// A trace as a tree of commands, each with its steps in the order of their times.
import type { CommandTraceJson, StepJson } from '../../api/contract';
import { durationMs, shortName } from '../../ui/format';

export interface TimedStep {
  step: StepJson;
  at: number;
  // Since the step before of the same command; of the first one of a caused command, since it was asked for.
  after: number;
  command: number;
}

export interface CallCommand {
  // 0 is the client's own.
  index: number;
  // Whose reply asked for it.
  parent: number;
  depth: number;
  origin: 'call' | 'side effect' | 'forward';
  service: string;
  method: string;
  entityId: string;
  steps: TimedStep[];
  // In milliseconds from the start of the call.
  from: number;
  to: number;
  // Whether the one that asked for it goes on only after it.
  waitedFor: boolean;
  failure: string | undefined;
  // What it stored, as the emulator says it, and the last sequence number of that.
  stored: { text: string; sequence: number | undefined }[];
}

export interface CallTree {
  // Each below the one that it was set off by.
  commands: CallCommand[];
  // Of all commands, in the order of their times.
  steps: TimedStep[];
  // To the end of the last step: side effects may go on after the answer.
  length: number;
}

export const callName = (service: string | undefined, method: string | undefined) => `${shortName(service)}.${method ?? ''}`;

export function callTree(trace: CommandTraceJson): CallTree {
  const steps = (trace.steps ?? []).map((step) => ({ step, at: durationMs(step.at), after: 0, command: step.command ?? 0 }));
  steps.sort((a, b) => a.at - b.at);
  const own = commandOf(trace, steps, 0);
  const caused = (trace.caused ?? []).map((_, i) => commandOf(trace, steps, i + 1));
  const commands: CallCommand[] = [];
  // A parent's number is smaller than its children's, so this ends.
  const add = (command: CallCommand, depth: number) => {
    commands.push({ ...command, depth });
    for (const each of caused) if (each.parent === command.index) add(each, depth + 1);
  };
  add(own, 0);
  setGaps(commands, steps);
  return { commands, steps, length: Math.max(durationMs(trace.duration), steps.at(-1)?.at ?? 0) };
}

// What a program with an error of its own tells is taken for the client's.
function parentOf(trace: CommandTraceJson, index: number): number {
  const parent = trace.caused?.[index - 1]?.parent ?? 0;
  return parent < index ? parent : 0;
}

function commandOf(trace: CommandTraceJson, steps: TimedStep[], index: number): CallCommand {
  const cause = trace.caused?.[index - 1];
  const of = index === 0 ? trace : cause!;
  const own = steps.filter(({ command }) => command === index);
  const failed = own.find(({ step }) => step.kind === 'failed');
  const from = own[0]?.at ?? 0;
  return {
    index,
    parent: index === 0 ? -1 : parentOf(trace, index),
    depth: 0,
    origin: index === 0 ? 'call' : cause!.origin === 'FORWARD' ? 'forward' : 'side effect',
    service: of.service ?? '',
    method: of.method ?? '',
    entityId: of.entityId ?? '',
    steps: own,
    from: index === 0 ? 0 : from,
    to: Math.max(own.at(-1)?.at ?? from, index === 0 ? durationMs(trace.duration) : 0),
    waitedFor: index !== 0 && own[0]?.step.detail !== 'not awaited',
    failure: failed?.step.detail,
    stored: own.filter(({ step }) => step.kind === 'stored').map(({ step: { detail = '' } }) => ({ text: detail, sequence: lastNumber(detail) })),
  };
}

// Of "event 7" and "events 7 to 9".
function lastNumber(text: string): number | undefined {
  const found = /^events? (?:\d+ to )?(\d+)/.exec(text);
  return found ? Number(found[1]) : undefined;
}

function setGaps(commands: CallCommand[], steps: TimedStep[]): void {
  for (const { steps: own } of commands) own.forEach((each, i) => (each.after = each.at - (own[i - 1]?.at ?? before(steps, each))));
}

function before(steps: TimedStep[], step: TimedStep): number {
  const at = steps.indexOf(step);
  return at > 0 ? steps[at - 1]!.at : 0;
}

export type Phase = 'emulator' | 'user function' | 'journal' | 'loading' | 'waiting';

// Who had the command in the time before one of its steps.
export function phaseBefore(tree: CallTree, { step: { kind }, at, after, command }: TimedStep): Phase {
  if (kind === 'replied') return 'user function';
  if (kind === 'stored') return 'journal';
  if (kind === 'replayed' || kind === 'stream opened') return 'loading';
  const awaited = tree.commands.some(({ parent, from, to, waitedFor }) => parent === command && waitedFor && from < at && to > at - after);
  return awaited ? 'waiting' : 'emulator';
}

// Three to six round marks from 0 to this length.
export function ticks(length: number): number[] {
  if (length <= 0) return [0];
  const rough = length / 5;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * ten).find((each) => each >= rough)!;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, i) => i * step);
}
