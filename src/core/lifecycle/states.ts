import type { State } from '../../api/status.ts';

/** A step from one state of a job to another, and what brings it about. */
export type Step = { readonly from: State; readonly to: State; readonly when: string };

/**
 * Where a job can go from where it is: what docs/lifecycle.md draws, and what the simulator holds the rules to: every step is taken in
 * some scenario, and no scenario takes another one. `Stalled` and `Deleting` can be entered from everywhere, and a job leaves `Stalled`
 * for wherever it was; those steps are not drawn.
 */
export const STEPS: readonly Step[] = [
  { from: 'Created', to: 'Deploying', when: 'valid spec' },
  { from: 'Deploying', to: 'Running', when: 'all tasks run' },
  { from: 'Deploying', to: 'Finished', when: 'ended before it was seen running' },
  { from: 'Deploying', to: 'Failed', when: 'failed for good' },
  { from: 'Deploying', to: 'Upgrading', when: 'the spec changed' },
  { from: 'Deploying', to: 'Rescaling', when: 'the scale changed' },
  { from: 'Running', to: 'Upgrading', when: 'the spec changed, or a redeployment' },
  { from: 'Running', to: 'Rescaling', when: 'the scale changed, in place' },
  { from: 'Running', to: 'Stopping', when: 'state suspended' },
  { from: 'Running', to: 'Finished', when: 'bounded job ended, or canceled' },
  { from: 'Running', to: 'Failed', when: 'failed for good' },
  { from: 'Rescaling', to: 'Running', when: 'runs at the new scale' },
  { from: 'Rescaling', to: 'Upgrading', when: 'the spec changed' },
  { from: 'Upgrading', to: 'Running', when: 'restored, all tasks run' },
  { from: 'Upgrading', to: 'Stopping', when: 'state suspended' },
  { from: 'Upgrading', to: 'Suspended', when: 'suspended before its start' },
  { from: 'Upgrading', to: 'Finished', when: 'it finished before it was stopped' },
  { from: 'Upgrading', to: 'Failed', when: 'failed for good' },
  { from: 'Stopping', to: 'Suspended', when: 'snapshot recorded, pods gone' },
  { from: 'Stopping', to: 'Running', when: 'state running before the stop' },
  { from: 'Stopping', to: 'Upgrading', when: 'state running after the stop' },
  { from: 'Suspended', to: 'Upgrading', when: 'state running' },
  { from: 'Suspended', to: 'Deploying', when: 'state running, never started' },
  { from: 'Running', to: 'RollingBack', when: 'not stable in its time' },
  { from: 'Upgrading', to: 'RollingBack', when: 'not stable in its time' },
  { from: 'Failed', to: 'RollingBack', when: 'failed before it was stable' },
  { from: 'RollingBack', to: 'RolledBack', when: 'the last stable epoch runs again' },
  { from: 'RollingBack', to: 'Upgrading', when: 'the spec changed' },
  { from: 'RolledBack', to: 'Upgrading', when: 'the spec changed' },
  { from: 'RolledBack', to: 'Running', when: 'the spec is again what runs' },
  { from: 'Failed', to: 'Upgrading', when: 'corrected spec, or policies.restart.failed' },
  { from: 'Finished', to: 'Upgrading', when: 'restore, or policies.restart.finished' },
];
