import assert from 'node:assert/strict';
import { after } from 'node:test';
import { coverage, report, ruleNames } from './harness/coverage.ts';
import './scenarios/life.ts';
import './scenarios/stops.ts';
import './scenarios/repair.ts';
import './scenarios/world.ts';
import './scenarios/corners.ts';

/** The scenarios of design/lifecycle.md by number and name; test/sim/crashes puts a crash at every step of the flows in them. */

/** Rules that answer what these scenarios do not show; each names the test that does. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([]);

after(() => {
  console.log(report());
  const missed = ruleNames().filter((name) => !coverage.rules.has(name) && !ELSEWHERE.has(name));
  assert.deepEqual(missed, [], 'every rule answers somewhere');
});
