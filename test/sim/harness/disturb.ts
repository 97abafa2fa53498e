import { isFree } from './break-out.ts';
import { doDeed } from './deeds.ts';
import type { History } from './history.ts';
import type { Plan } from './plans.ts';
import { READS_PODS } from './pods.ts';

/** Sets the switches of a history so that the plan comes true in it. */
export function disturb(history: History, plan: Plan): void {
  const { controls, tell } = history;
  let shown = false;
  switch (plan.kind) {
    case 'crash':
      controls.crash = (_effect, when, index) => when === plan.when && index === plan.effect;
      break;
    case 'write':
      controls.write = (_effect, index) => (index === plan.effect ? plan.fate : 'done');
      break;
    case 'answer lost':
      controls.hook = (index) => (index === plan.call ? 'answer-lost' : 'up');
      break;
    case 'duplicate':
      controls.duplicate = (index) => (index === plan.call ? plan.fate : 'none');
      break;
    case 'stale':
      controls.staleness = (index) => {
        // Once: a sync that does not even see the parent does not count.
        const now = index === plan.sync && !shown;
        shown ||= now;
        if (now) tell(`the next sync sees ${plan.of} ${plan.behind} behind`);
        const behind = now ? plan.behind : 0;
        // Pods that Flork reads itself are never old: in the place of that, they cannot be read.
        if (now && plan.of === 'related' && READS_PODS) {
          const next = history.counts.podReads;
          controls.pods = (read) => (read === next ? 'unreachable' : 'none');
        }
        const shows = (what: 'parent' | 'children' | 'related'): number =>
          plan.of === what || (plan.of === 'both' && what !== 'related') ? behind : 0;
        return { parent: shows('parent'), children: shows('children'), related: shows('related') };
      };
      break;
    case 'flink':
      controls.flink = (index) => (index === plan.call ? plan.fate : 'none');
      break;
    case 'deed':
      controls.crash = (_effect, when, index) => {
        if (when === 'after' && index === plan.effect) {
          history.clock.after(1, () => doDeed(history, plan.deed, () => history.interrupt()));
          if (!isFree(plan.deed)) history.interrupt();
        }
        return false;
      };
      break;
    default:
      plan satisfies never;
  }
}
