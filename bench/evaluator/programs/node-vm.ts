/** Timed: the first outcome of `node:vm`. */
import { DONE } from '../../child.ts';
import { prepareVm } from '../node-vm.ts';
import { contextJson, NO_OP_SCRIPT } from '../workload.ts';

if (prepareVm(NO_OP_SCRIPT)(contextJson(0)) === NO_OP_SCRIPT.result) process.stdout.write(`${DONE}\n`);
