import type { Say } from '../answer.ts';
import type { Facts } from '../facts/facts.ts';
import { stalled } from './say.ts';

/** A job that was rolled back wants a person, however well it runs: its spec is not what runs. */
export function rolledBackSay(facts: Facts, say: Say): Say {
  const failed = facts.record?.failed;
  if (!facts.heldBack || failed === undefined || facts.epoch?.ended || facts.changeWanted) return say;
  if (say.as === 'ready' && say.state === 'Running') {
    const why = `Rolled back: epoch ${failed.number} (generation ${failed.generation}) did not become stable, and the spec of epoch ${failed.to} runs until the spec changes.`;
    return stalled('RolledBack', 'RolledBack', `${why} ${say.message}`);
  }
  const onTheWay = say.as === 'progress' && ['Deploying', 'Upgrading', 'Running'].includes(say.state);
  return onTheWay ? { ...say, state: facts.epoch?.stableAt === undefined ? 'RollingBack' : 'RolledBack' } : say;
}
