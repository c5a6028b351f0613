// What is said about a node's state, in words and colours.
import type { Tone } from './basics';

const TONES: Record<string, Tone> = { up: 'good', joining: 'warn', leaving: 'warn', down: 'bad', stopped: 'bad' };

export const nodeState = (node: { state?: string; paused?: boolean }): string => (node.paused ? `${node.state}, paused` : (node.state ?? ''));
export const nodeTone = (node: { state?: string; paused?: boolean }): Tone => (node.paused ? 'warn' : (TONES[node.state ?? ''] ?? 'neutral'));
export const runs = ({ state }: { state?: string }) => state !== 'stopped' && state !== 'removed';
