import assert from 'node:assert/strict';
import { after } from 'node:test';
import { coverage, report, ruleNames } from './harness/coverage.ts';
import './scenarios/life.ts';
import './scenarios/stops.ts';
import './scenarios/standbys.ts';
import './scenarios/upgrades.ts';
import './scenarios/repair.ts';
import './scenarios/world.ts';
import './scenarios/corners.ts';
import './scenarios/rescale.ts';
import './scenarios/duties.ts';
import './scenarios/snapshots.ts';
import './scenarios/deletions.ts';
import './scenarios/recovery.ts';
import './scenarios/ends.ts';
import './scenarios/trouble.ts';
import './scenarios/high-availability.ts';

/** The scenarios of docs/lifecycle.md by number and name; test/sim/crashes puts a crash at every step of the flows in them. */

/** Rules that answer what these scenarios do not show; each names the test that does. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['deleteWaitsForPods', 'unit/core/duties: in a foreground deletion the metadata goes when the pods are gone'],
  ['cancelLostItsProcess', 'unit/core/lifecycle/leave: nothing is on record'],
  ['nothingToGoOnFrom', 'unit/core/lifecycle/end: one that left no snapshot is not started empty'],
  ['declareAgain', 'unit/core/lifecycle/upgrade: a spec that changes between declaration and start'],
  ['nextWaitsForValidSpec', 'unit/core/lifecycle/upgrade: a stopped job waits for a valid spec'],
]);

after(() => {
  console.log(report());
  const missed = ruleNames().filter((name) => !coverage.rules.has(name) && !ELSEWHERE.has(name));
  assert.deepEqual(missed, [], 'every rule answers somewhere');
});
