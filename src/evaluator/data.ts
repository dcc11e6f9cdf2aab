/** JSON that task code wrote becomes data of the host. */

/** As it is, or as an escape may spell it. */
const MAY_NAME_PROTOTYPE = /__proto__|\\u/;

/**
 * Leaves out what is called `__proto__`. To JSON it is a key like any other; to whoever copies the object, property by
 * property, it is the prototype of the copy, or of every object there is.
 */
export const parseData = (json: string): unknown =>
  MAY_NAME_PROTOTYPE.test(json)
    ? JSON.parse(json, (key, value: unknown) => (key === '__proto__' ? undefined : value))
    : JSON.parse(json);
