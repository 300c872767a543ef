/** Divides a list into consecutive slices of at most `size` items. */
export function inSlices<Item>(items: Item[], size: number): Item[][] {
  const slices: Item[][] = [];
  for (let start = 0; start < items.length; start += size) slices.push(items.slice(start, start + size));
  return slices;
}
