/** JSON that task code wrote becomes data of the host. */

/** As it is, or with one of its letters written as an escape. */
const MAY_NAME_PROTOTYPE = /__proto__|\\u00(?:5f|6f|7[024])/i;

/**
 * Leaves out what is called `__proto__`. To JSON it is a key like any other; to whoever copies the object, property by
 * property, it is the prototype of the copy, or of every object there is.
 */
export function parseData(json: string): unknown {
  const value: unknown = JSON.parse(json);
  if (MAY_NAME_PROTOTYPE.test(json)) dropPrototypes(value);
  return value;
}

/** A tenth of the time that a reviver takes, which sees every element of every list. */
function dropPrototypes(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Object.hasOwn(value, '__proto__')) Reflect.deleteProperty(value, '__proto__');
  for (const each of Object.values(value)) dropPrototypes(each);
}
