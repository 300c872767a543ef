/** Formats the results as a table and as a picture. */

export interface Ratio {
  what: string;
  /** Median of the rounds' ratios. */
  ratio: number;
  /** Smallest and largest ratio of the rounds. */
  spread: [number, number];
  target: number;
  /** The target is a maximum, not a minimum. */
  isMaximum?: boolean;
  /** The two medians with their unit. */
  of: string;
}

export function isMet({ ratio, target, isMaximum }: Ratio): boolean {
  return isMaximum ? ratio <= target : ratio >= target;
}

const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(2));

export function toTable(ratios: Ratio[]): string {
  const rows = ratios.map((ratio) => {
    const { what, spread, target, isMaximum, of } = ratio;
    const goal = `${isMaximum ? '≤' : '≥'} ${digits(target)}`;
    const range = `${digits(spread[0])} to ${digits(spread[1])}`;
    return `| ${what} | ${digits(ratio.ratio)} | ${range} | ${goal} | ${isMet(ratio) ? 'yes' : '**no**'} | ${of} |`;
  });
  return [
    '| what | ratio | rounds | target | met | medians |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

const ROW = 30;
const LABELS = 380;
const BAR = 240;

/** Draws a bar for how much of each target is reached; the line marks the target. */
export function toPicture(ratios: Ratio[]): string {
  const height = ROW * ratios.length + 50;
  const bars = ratios.map((ratio, row) => {
    const share = ratio.isMaximum ? ratio.target / ratio.ratio : ratio.ratio / ratio.target;
    const width = Math.min(share, 2) * (BAR / 2);
    const y = 40 + row * ROW;
    const colour = isMet(ratio) ? '#2e7d32' : '#c62828';
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
