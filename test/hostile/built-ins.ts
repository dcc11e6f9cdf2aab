/** The built-in objects of this process, whose properties a task could want to change. */
const TYPES = [
  Object,
  Array,
  Function,
  Error,
  String,
  Number,
  Boolean,
  Promise,
  RegExp,
  Map,
  Set,
  Symbol,
  Date,
  Buffer,
];
const OBJECTS: readonly object[] = [JSON, Math, Reflect, ...TYPES, ...TYPES.map(({ prototype }) => prototype)];

/** Every property of every built-in object: `value` or `get`, by object and key. */
type BuiltIns = ReadonlyMap<object, ReadonlyMap<PropertyKey, unknown>>;

export function builtIns(): BuiltIns {
  const meaningOf = (object: object, key: PropertyKey): unknown => {
    const found = Object.getOwnPropertyDescriptor(object, key);
    return found?.get ?? found?.value;
  };
  return new Map(
    OBJECTS.map((object) => [object, new Map(Reflect.ownKeys(object).map((key) => [key, meaningOf(object, key)]))]),
  );
}

/** Keys that are new, gone or mean something else. */
export function changed(before: BuiltIns, after: BuiltIns): string[] {
  return OBJECTS.flatMap((object) => {
    const [old, now] = [before.get(object), after.get(object)];
    const keys = new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])]);
    return [...keys]
      .filter((key) => old?.has(key) !== now?.has(key) || !Object.is(old?.get(key), now?.get(key)))
      .map(String);
  });
}
