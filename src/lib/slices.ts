/** Consecutive pieces of a list, of at most `size` each. */
export function inSlices<Item>(items: Item[], size: number): Item[][] {
  const slices: Item[][] = [];
  for (let start = 0; start < items.length; start += size) slices.push(items.slice(start, start + size));
  return slices;
}
