/** Cronkeeper's side of each measurement, in a process of its own. Started and asked by `subject.ts`. */
import { serve } from '../serve.ts';
import { drain } from './drain.ts';
import { idle, register } from './idle.ts';
import { oneshot } from './oneshot.ts';
import { put } from './put.ts';
import { repeat } from './repeat.ts';

serve({ drain, idle, oneshot, put, register, repeat });
