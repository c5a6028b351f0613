// Where the nodes stand in the picture: on an ellipse, or each group of a partition on one of its own.

export interface Point {
  x: number;
  y: number;
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Layout {
  // Centres of the cards.
  places: Map<number, Point>;
  // Of a partition's groups, in their order.
  regions: Box[];
  card: { width: number; height: number };
  compact: boolean;
}

const FULL = { width: 204, height: 82 };
const COMPACT = { width: 108, height: 66 };
const MARGIN = 14;
const GAP = 28;

export function layOut(nodes: number[], groups: number[][], width: number, height: number): Layout {
  const parts = groups.length > 1 ? groups : [nodes];
  const most = Math.max(...parts.map((part) => part.length));
  const compact = nodes.length > 5 || width / parts.length < FULL.width + 2 * MARGIN || (parts.length > 1 && most > 2) || width < 520;
  const card = compact ? COMPACT : FULL;
  const places = new Map<number, Point>();
  const regions: Box[] = [];
  const whole = width - GAP * (parts.length - 1);
  // A group of one needs nearly as much room as one of three.
  const weights = parts.map((part) => Math.sqrt(part.length));
  const sum = weights.reduce((all, each) => all + each, 0);
  let x = 0;
  parts.forEach((part, i) => {
    const box = { x, y: 0, width: (whole * weights[i]!) / sum, height };
    placeWithin(part, box, card, places, parts.length > 1 ? 24 : 0);
    if (parts.length > 1) regions.push(box);
    x += box.width + GAP;
  });
  return { places, regions, card, compact };
}

function placeWithin(part: number[], box: Box, card: { width: number; height: number }, places: Map<number, Point>, head: number) {
  const center = { x: box.x + box.width / 2, y: box.y + head + (box.height - head) / 2 };
  const rx = Math.max(0, (box.width - card.width) / 2 - MARGIN);
  const ry = Math.max(0, (box.height - head - card.height) / 2 - MARGIN);
  const narrow = 2 * rx < card.width + 40;
  // One above the other, to the left and to the right in turn, so that no link runs behind a card.
  const zigzag = narrow && part.length <= 3;
  const points = part.map((_, i) => (zigzag ? { x: part.length === 2 ? 0 : i % 2 === 0 ? -1 : 1, y: i } : onCircle(i, part.length)));
  const [xs, ys] = [points.map(({ x: each }) => each), points.map(({ y: each }) => each)];
  part.forEach((node, i) => {
    places.set(node, { x: center.x + rx * stretched(points[i]!.x, xs), y: center.y + ry * stretched(points[i]!.y, ys) });
  });
}

function onCircle(i: number, count: number): Point {
  const first = count === 2 ? Math.PI : count === 4 ? -0.75 * Math.PI : -Math.PI / 2;
  const angle = first + (2 * Math.PI * i) / count;
  return { x: Math.cos(angle), y: Math.sin(angle) };
}

// From −1 for the smallest to 1 for the largest, so that the room is used.
function stretched(value: number, all: number[]): number {
  const [least, most] = [Math.min(...all), Math.max(...all)];
  return most - least < 1e-6 ? 0 : (2 * (value - least)) / (most - least) - 1;
}

// The part of the line from one card to another that is seen, moved aside so that both directions are.
export function between(from: Point, to: Point, card: { width: number; height: number }, aside: number): [Point, Point] {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = Math.hypot(dx, dy) || 1;
  const shift = { x: (-dy / length) * aside, y: (dx / length) * aside };
  const reach = Math.min(
    dx === 0 ? Infinity : (card.width / 2 + 5) / Math.abs(dx),
    dy === 0 ? Infinity : (card.height / 2 + 5) / Math.abs(dy),
    0.5,
  );
  const at = (share: number) => ({ x: from.x + dx * share + shift.x, y: from.y + dy * share + shift.y });
  return [at(reach), at(1 - reach)];
}
