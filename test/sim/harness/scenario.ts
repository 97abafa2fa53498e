import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OptionalKind } from '../../../src/api/optional-children.ts';
import { epochNames } from '../../../src/core/build/names.ts';
import { at } from '../../../src/sim/models/objects.ts';
import { NAMESPACE } from '../../../src/sim/world.ts';
import { statusOf } from './checker.ts';
import { conclude } from './coverage.ts';
import { epochOf, isReady, jobOf } from './flows.ts';
import { createHistory, type History } from './history.ts';
import { NAME } from './sample.ts';

/** What the scenarios of docs/lifecycle.md are told with. */
export type Story = (h: History) => Promise<void>;

/** Names of all scenarios that are told. */
export const SCENARIOS: string[] = [];

/** Tells the scenario twice, once for each apply strategy, on different seeds. */
export function scenario(name: string, story: Story, optionalKinds: readonly OptionalKind[] = []): void {
  SCENARIOS.push(name);
  test(name, async () => {
    for (const strategy of ['dynamic-apply', 'server-side-apply'] as const) {
      const h = createHistory({ seed: strategy === 'dynamic-apply' ? 7 : 8, strategy, optionalKinds });
      // oxlint-disable-next-line no-await-in-loop -- one story after the other
      await story(h);
      conclude(h);
    }
  });
}

export const status = (h: History): ReturnType<typeof statusOf> =>
  statusOf(h.job() ?? assert.fail('the FlinkJob is gone'));
export const uid = (h: History): string => h.job()?.metadata.uid ?? assert.fail('the FlinkJob is gone');
export const running = (h: History): boolean => isReady(h) && jobOf(h)?.state() === 'RUNNING';
export const savepointsOf = (h: History): number => h.ledger.savepoints(uid(h));

/** The configuration that the running epoch was rendered with. */
export function confOf(h: History): string {
  const { configuration } = epochNames({ name: NAME, uid: uid(h) }, epochOf(h));
  return JSON.stringify(
    h.world.api.get({ kind: 'ConfigMap', namespace: NAMESPACE, name: configuration })?.['data'] ?? '',
  );
}

export function restoreConfigMap(h: History): ReturnType<History['world']['api']['get']> {
  const { restore } = epochNames({ name: NAME, uid: uid(h) }, epochOf(h));
  return h.world.api.get({ kind: 'ConfigMap', namespace: NAMESPACE, name: restore });
}

export function newestSnapshot(h: History): number {
  return Math.max(0, ...h.world.storage.all().map((snapshot) => snapshot.counter));
}

/** Whenever the job went back behind what it had reached, its history says so. */
export function assertRewoundTold(h: History): void {
  const told = h.world.api.writes.some(
    ({ object }) =>
      object.kind === 'FlinkJob' && JSON.stringify(at(object, 'status', 'history') ?? []).includes('Rewound'),
  );
  assert.ok(told || h.ledger.rewinds.length === 0, `it went back silently: ${JSON.stringify(h.ledger.rewinds)}`);
}
