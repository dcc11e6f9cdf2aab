/** What the first call of a new instance costs: import and first call of each packaged function, and its size. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../tools/imports.ts';
import { measurePackages } from '../tools/package-stats.ts';
import { median } from './measure.ts';
import { interleave, type Probe, type Report, type Row, type Suite } from './suite.ts';

const PACKAGE = join(projectRoot, 'tools/package.ts');
const PACKAGE_MS_MAX = 300_000;
/** Those whose first call is a launch or leads to one. */
const FUNCTIONS = ['tick', 'api'];

export const coldSuite: Suite = {
  name: 'cold',
  about: 'packaged functions: size, import and first call of a new instance',
  async run(options): Promise<Report> {
    options.tell('packaging');
    await promisify(execFile)(process.execPath, [PACKAGE], { cwd: projectRoot, timeout: PACKAGE_MS_MAX });
    const probe = packagesProbe();
    const results = await interleave([probe], options);
    const sections = [{ title: 'A new instance of a packaged function', probes: [probe] }];
    return { suite: 'cold', peer: 'none', sections, results, notes: NOTES };
  },
};

function packagesProbe(): Probe {
  const rows = FUNCTIONS.flatMap((name): Row[] => [
    { name: `${name}: package`, unit: 'KiB' },
    { name: `${name}: import`, unit: 'ms' },
    { name: `${name}: first call`, unit: 'ms' },
  ]);
  return {
    rows,
    async measure() {
      const stats = await measurePackages(projectRoot);
      return FUNCTIONS.flatMap((name) => {
        const found = stats.find((each) => each.name === name);
        if (found === undefined) throw new Error(`${name} is not packaged`);
        return [found.zipBytes / 1_024, median(found.importMs), median(found.firstMs)];
      });
    },
  };
}

const NOTES = ['As `npm run package -- --stats` measures it: each time in a new process, on the embedded coordinator.'];
