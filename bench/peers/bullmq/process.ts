/** BullMQ's side of each measurement, in a process of its own. Started and asked by `subject.ts`. */
import { serve } from '../../serve.ts';
import { drain } from './drain.ts';
import { hold, runs, standBy } from './failover.ts';
import { oneshot } from './oneshot.ts';
import { put } from './put.ts';
import { repeat } from './repeat.ts';

serve({ drain, hold, oneshot, put, repeat, runs, standBy });
