/** Formats the results as a table and as a picture. */
import { cpus, loadavg, release, totalmem, type } from 'node:os';

export interface Ratio {
  what: string;
  /** Median of the rounds' ratios. */
  ratio: number;
  /** Half of the rounds lie between these. */
  quartiles: [number, number];
  target: number;
  /** The target is a maximum, not a minimum. */
  isMaximum: boolean;
  /** The two medians with their unit. */
  of: string;
}

export type Verdict = 'yes' | 'no' | 'unclear';

/**
 * A target is neither met nor missed if the rounds contradict each other: the quartile on the other side of the target
 * is further from it than the median.
 */
export function judge({ ratio, quartiles, target, isMaximum }: Ratio): Verdict {
  const isMet = isMaximum ? ratio <= target : ratio >= target;
  const [low, high] = quartiles;
  const opposite = ratio <= target ? high - target : target - low;
  return opposite > Math.abs(ratio - target) ? 'unclear' : isMet ? 'yes' : 'no';
}

const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(2));
const MARKS = { yes: 'yes', no: '**no**', unclear: 'unclear' };

export function toTable(ratios: Ratio[]): string {
  const rows = ratios.map((ratio) => {
    const { what, quartiles, target, isMaximum, of } = ratio;
    const goal = `${isMaximum ? '≤' : '≥'} ${digits(target)}`;
    const range = `${digits(quartiles[0])} to ${digits(quartiles[1])}`;
    return `| ${what} | ${digits(ratio.ratio)} | ${range} | ${goal} | ${MARKS[judge(ratio)]} | ${of} |`;
  });
  return [
    '| what | median | half of the rounds | target | met | medians |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** Returns what the figures depend on, in one line. */
export function describeMachine(): string {
  const [first] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  return `${cpus().length} × ${first?.model ?? 'unknown CPU'}, ${memory}, ${type()} ${release()}, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)} at the start`;
}

const ROW = 30;
const LABELS = 380;
const BAR = 240;
const COLOURS = { yes: '#2e7d32', no: '#c62828', unclear: '#757575' };

/** Draws a bar for how much of each target is reached; the line marks the target. */
export function toPicture(ratios: Ratio[]): string {
  const height = ROW * ratios.length + 50;
  const bars = ratios.map((ratio, row) => {
    const share = ratio.isMaximum ? ratio.target / ratio.ratio : ratio.ratio / ratio.target;
    const width = Math.min(Math.max(share, 0), 2) * (BAR / 2);
    const y = 40 + row * ROW;
    const colour = COLOURS[judge(ratio)];
    return (
      `<text x="${LABELS - 10}" y="${y + 14}" text-anchor="end">${ratio.what}</text>` +
      `<rect x="${LABELS}" y="${y}" width="${width.toFixed(1)}" height="18" fill="${colour}"/>` +
      `<text x="${(LABELS + width + 8).toFixed(1)}" y="${y + 14}">${digits(ratio.ratio)}</text>`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LABELS + BAR + 80} ${height}" font-family="system-ui, sans-serif" font-size="13">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text x="${LABELS + BAR / 2}" y="24" text-anchor="middle">target</text>`,
    `<line x1="${LABELS + BAR / 2}" y1="30" x2="${LABELS + BAR / 2}" y2="${height - 10}" stroke="#616161" stroke-dasharray="4 3"/>`,
    ...bars,
    '</svg>\n',
  ].join('\n');
}
