import { tellHistories } from './harness/told.ts';

/** Half of the random histories: the two halves are told at the same time. */
tellHistories(1001);
