/** A bounded memory for what is dear to build: the entry used longest ago makes room. */
export interface Recent<Value> {
  /** The value built for `key`, or a new one from `build`. A `build` that throws leaves nothing behind. */
  get(key: string, build: () => Value): Value;
}

export function recent<Value>(entriesMax: number): Recent<Value> {
  const entries = new Map<string, { readonly value: Value }>();
  return {
    get(key, build) {
      const entry = entries.get(key) ?? { value: build() };
      // A Map keeps the order of insertion, so putting an entry back makes it the youngest.
      entries.delete(key);
      entries.set(key, entry);
      for (const oldest of entries.keys()) {
        if (entries.size <= entriesMax) break;
        entries.delete(oldest);
      }
      return entry.value;
    },
  };
}
