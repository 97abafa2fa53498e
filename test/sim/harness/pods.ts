import type { Pods } from '../../../src/kube/pods.ts';

/** `FLORK_SIM_PODS=read`: whatever is told, it is told of a Flork that reads the pods itself. */
export const READS_PODS = process.env['FLORK_SIM_PODS'] === 'read';

/** What is heard of the pods when a sync is asked again that has not read them (S6). */
export const NOT_READ: Pods = { kind: 'unread', why: 'not read the first time' };
