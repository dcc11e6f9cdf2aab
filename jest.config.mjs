export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/tools/strip-types.cjs' },
  setupFiles: ['<rootDir>/tools/property-seed.mjs'],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  reporters: ['default', '<rootDir>/tools/closing-line.mjs'],
  testSequencer: '<rootDir>/tools/sequencer.mjs',
  maxWorkers: 2,
};
