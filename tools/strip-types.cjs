// Jest's view of our TypeScript: Node's own type stripping, so that tests run the very text that users run.
const { createHash } = require('node:crypto');
const { stripTypeScriptTypes } = require('node:module');

module.exports = {
  process: (source) => ({ code: stripTypeScriptTypes(source, { mode: 'strip' }) }),
  getCacheKey: (source, file, { configString }) =>
    createHash('sha1').update(process.version).update(source).update(file).update(configString).digest('hex'),
};
