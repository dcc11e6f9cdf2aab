/** BullMQ's side of each measurement, in a process of its own. Started and asked by `subject.ts`. */
import { serve } from '../../serve.ts';
import { drain } from './drain.ts';

serve({ drain });
