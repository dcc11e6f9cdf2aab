/**
 * What HTTP calls its statuses. Not by an import: an ES module that imports `node:http` is given all of its exports, and to
 * give WebSocket Node loads the whole of fetch (50 ms).
 */
export const { STATUS_CODES } = process.getBuiltinModule('node:http');
