/** What cannot be repeated is said, with its reason, and nothing runs. */
import { describe, expect, test } from '@jest/globals';
import { document, Records } from './support/records.ts';

const records = Records.use();

describe('what cannot be replayed is refused:', () => {
  const refused = (launchId: unknown, options?: object) => {
    return expect(records.keeper.tasks.replay('task', launchId as string, options)).rejects;
  };

  test('a launch that is none of the task', async () => {
    const [run] = await records.launched(document('1'));
    const slotMs = Date.parse(run?.slot ?? '');
    for (const launchId of ['', 'task', `other@${slotMs}`, `task@${slotMs}.5`, 'task@', 7, undefined]) {
      await refused(launchId).toMatchObject({ code: 'invalid', problems: [{ field: 'launchId' }] });
    }
    await refused(`task@${slotMs + 1}`).toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/not among the 1 runs/),
    });
    await expect(records.keeper.tasks.replay('none', 'none@1')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('options that cannot be', async () => {
    const [run] = await records.launched(document('1'));
    const { launchId } = run ?? {};
    for (const options of [{ attempt: 0 }, { attempt: '1' }, { code: 5 }, { input: 5n }, { state: Number.NaN }]) {
      const [field] = Object.keys(options);
      await refused(launchId, options).toMatchObject({ code: 'invalid', problems: [{ field }] });
    }
  });

  /** A run as some program left it. */
  async function rewritten(change: (run: Record<string, unknown>) => Record<string, unknown>): Promise<string> {
    const [run] = await records.launched(document('1'));
    await records.rewrite(change);
    return run?.launchId ?? '';
  }

  test('a skipped slot, also one in the middle of a range, and an uncertain end', async () => {
    const launchId = await rewritten((run) => ({ ...run, status: 'uncertain', reason: 'claimed', code: undefined }));
    await refused(launchId).toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/uncertain \(claimed\)/),
    });
    const slotMs = Number(launchId.split('@')[1]);
    const range = { slotMs: slotMs - 5, lastSlotMs: slotMs + 5, status: 'skipped', attempt: 0, reason: 'overlap' };
    await records.keeper.tasks.remove('task');
    const other = await rewritten((run) => ({ ...run, ...range, code: undefined }));
    expect(other).not.toBe('');
    await refused(`task@${slotMs - 5}`).toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/was skipped \(overlap\)/),
    });
  });

  test('a run whose code is gone, unless other code is given', async () => {
    const launchId = await rewritten((run) => ({ ...run, code: 'f'.repeat(32) }));
    await refused(launchId).toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/code f{32} is not stored any more/),
    });
    expect(await records.keeper.tasks.replay('task', launchId, { code: '1' })).toMatchObject({ same: true });
  });

  test('a run that an older program recorded', async () => {
    const launchId = await rewritten(({ code: _, waitedMs: __, ...older }) => older);
    await refused(launchId).toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/recorded by an older program/),
    });
    expect((await records.keeper.tasks.runs('task')).items).toMatchObject([{ launchId, status: 'succeeded' }]);
  });

  test('a run whose holder did not live to record it', async () => {
    const error = { class: 'WorkerLost', name: 'HolderLost', message: 'no outcome' };
    const launchId = await rewritten(({ code: _, ...run }) => ({ ...run, status: 'failed', error }));
    await refused(launchId).toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/its holder did not live to record it/),
    });
  });

  test('a run of which somebody has stored what cannot be', async () => {
    const [run] = await records.launched(document('1'));
    await records.moveToChunk((each) => ({ ...each, seen: { answers: 'none' } }));
    await refused(run?.launchId).toMatchObject({ code: 'corrupt', message: expect.stringMatching(/is not sound/) });
  });
});
