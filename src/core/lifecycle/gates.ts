import type { Answer } from '../answer.ts';
import type { Facts } from '../facts/facts.ts';
import { PLATFORM_RULES } from '../platform/judge.ts';
import { TENANT_PROFILE } from '../profile/guard.ts';
import { CLUSTER_SECONDS } from './pace.ts';
import { progress, stalled } from './say.ts';

/** Rules that come before any decision about the job: may anything be decided at all? */

/** The annotation freezes everything; children stay as they are. */
export function paused(facts: Facts): Answer | undefined {
  if (!facts.input.job.paused) return undefined;
  return {
    rule: 'paused',
    say: stalled(
      facts.prior?.state ?? 'Created',
      'Paused',
      'Paused by annotation flork.itom.com/paused; remove it to go on.',
    ),
    workloads: 'keep',
    resyncAfterSeconds: 0,
  };
}

/** Status holds an intent of another version: what it has begun may be under way, so that nothing else is (S1). */
export function operationUnknown(facts: Facts): Answer | undefined {
  const { strange, ref } = facts.input.job;
  if (strange === undefined) return undefined;
  const remove = `kubectl patch flinkjob ${ref.name} -n ${ref.namespace} --subresource=status --type=json -p '[{"op":"remove","path":"/status/operation"}]'`;
  return {
    rule: 'operationUnknown',
    say: stalled(
      facts.prior?.state ?? 'Running',
      'OperationUnknown',
      `Another version of Flork has begun "${String(strange['kind'])}", which this one does not know; what runs is left as it is until that version has ended it. Where there is none any more: ${remove}`,
    ),
    workloads: 'keep',
    resyncAfterSeconds: CLUSTER_SECONDS,
  };
}

/** A deleted FlinkJob without a finalize call (the finalizer is not ours yet, or no longer): nothing is decided here. */
export function leaving(facts: Facts): Answer | undefined {
  if (facts.input.job.deletionTimestamp === undefined || facts.input.finalizing) return undefined;
  return {
    rule: 'leaving',
    say: progress('Deleting', 'Deleting', 'The FlinkJob is being deleted.'),
    workloads: 'keep',
    resyncAfterSeconds: 0,
  };
}

/** A wrong spec before anything ran: nothing is created. */
export function invalidFromTheStart(facts: Facts): Answer | undefined {
  if (facts.input.job.spec.kind === 'valid' || facts.epoch || facts.deployed > 0) return undefined;
  return {
    rule: 'invalidFromTheStart',
    say: stalled('Stalled', refusalReason(facts), findingsText(facts)),
    workloads: 'keep',
    resyncAfterSeconds: 0,
  };
}

/** The record of the running epoch is gone or was edited and cannot be made again from the spec: what runs is left as it is. */
export function recordMissing(facts: Facts): Answer | undefined {
  if (facts.record || (!facts.epoch && facts.deployed === 0)) return undefined;
  const number = Math.max(facts.epoch?.number ?? 0, facts.deployed);
  return {
    rule: 'recordMissing',
    say: stalled(
      'Stalled',
      'RecordMissing',
      `The record ConfigMap of epoch ${number} is gone or does not match its hash; what runs is left as it is. Put the spec back to what runs, or restore the ConfigMap.`,
    ),
    workloads: 'keep',
    resyncAfterSeconds: CLUSTER_SECONDS,
  };
}

/** Whose business it is that a spec is not followed: the user's, whose pods may also be more than allowed, or that of the people who run Flork. */
export function refusalReason(facts: Facts): 'InvalidSpec' | 'SpecForbidden' | 'PlatformFailed' {
  const { spec } = facts.input.job;
  const findings = spec.kind === 'invalid' ? spec.findings : [];
  if (findings.some(({ rule }) => rule === TENANT_PROFILE)) return 'SpecForbidden';
  return findings.length > 0 && findings.every(({ rule }) => PLATFORM_RULES.includes(rule))
    ? 'PlatformFailed'
    : 'InvalidSpec';
}

const PREFACES: Readonly<Record<ReturnType<typeof refusalReason>, string>> = {
  InvalidSpec: 'Invalid spec',
  SpecForbidden: 'Spec against the tenant profile',
  PlatformFailed: "Flork's own configuration fails for this FlinkJob, whoever runs Flork has to correct it",
};

/** All findings of an invalid spec in one line. */
export function findingsText(facts: Facts): string {
  const { spec } = facts.input.job;
  if (spec.kind === 'valid') return '';
  const findings = spec.findings.map(({ path, is, want, rule }) => `${path}: ${is}; want ${want} (${rule})`).join('. ');
  return `${PREFACES[refusalReason(facts)]}: ${findings}`;
}
