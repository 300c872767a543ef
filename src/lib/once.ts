/** Builds a value when it is first asked for, and then keeps it. */
export function once<Value extends object>(build: () => Value): () => Value {
  let built: Value | undefined;
  return () => (built ??= build());
}
