/** @returns NaN if there are no values */
export function median(values: number[]): number {
  return percentile(values, 0.5);
}

/**
 * @param share 0.99 for the value that 99 % of the values do not exceed
 * @returns NaN if there are no values
 */
export function percentile(values: number[], share: number): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length * share)] ?? Number.NaN;
}
