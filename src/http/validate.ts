import type { Context } from 'hono';
import * as v from 'valibot';
import { AdmissionReview, allow, deny } from '../api/admission.ts';
import { GROUP, KIND, VERSION } from '../api/flinkjob.ts';
import { Parent } from '../api/hook.ts';
import { isObject } from '../api/json.ts';
import type { Finding } from '../core/types.ts';
import { formatFinding } from '../core/validate/validate-spec.ts';
import { readBody } from './body.ts';
import { answer, refuse, type Reply } from './reply.ts';
import type { Shell } from './shell.ts';

/** The API server cuts warnings beyond 256 characters, and after 4096 in all. */
const MAX_WARNING = 250;
const MAX_WARNINGS = 10;

/** POST /validate, AdmissionReview v1: the same rules as the hook's, all findings at once. Has no effect, so a dry run is one like any. */
export function validateRoute(shell: Shell): (c: Context) => Promise<Reply> {
  return async (c) => {
    const body = await readBody(c, shell.config.maxBodyBytes);
    if (body.kind === 'refused') return body.reply;
    const review = v.safeParse(AdmissionReview, body.json);
    if (!review.success) {
      return refuse(400, 'bad-envelope', `the body is no AdmissionReview v1: ${v.getDotPath(review.issues[0]) ?? ''}`);
    }
    const { request } = review.output;
    const { uid, operation, kind } = request;
    if (kind.group !== GROUP || kind.version !== VERSION || kind.kind !== KIND) {
      return answer(warn(uid, [`Flork judges ${KIND} of ${GROUP}/${VERSION} only`]), 'other-kind');
    }
    if (operation === 'DELETE' || operation === 'CONNECT') return answer(allow(uid), 'not-judged');
    return judge(shell, uid, request.object, operation === 'UPDATE' ? request['oldObject'] : undefined);
  };
}

function judge(shell: Shell, uid: string, object: unknown, old: unknown): Reply {
  // A new object has no uid yet in a dry run of some clients; the rules read names and labels only.
  const parsed = v.safeParse(Parent, withUid(object));
  if (!parsed.success) {
    const path = v.getDotPath(parsed.issues[0]) ?? '';
    return answer(deny(uid, `${path}: is not what a Kubernetes object has there; want a ${KIND}`), 'denied');
  }
  const { metadata } = parsed.output;
  const spec = parsed.output['spec'];
  const verdict = shell.core.validateSpec(spec, metadata);
  if (verdict.kind === 'valid')
    return answer(warn(uid, notices(spec, isObject(old) ? old['spec'] : undefined)), 'allowed');
  // A rule of a later Flork must not keep metadata of an older object from changing: finalizers have to come off.
  if (metadata.deletionTimestamp || sameSpec(old, spec))
    return answer(warn(uid, verdict.findings.map(formatFinding)), 'allowed-unchanged');
  return answer(denied(uid, verdict.findings), 'denied');
}

function withUid(object: unknown): unknown {
  if (!isObject(object) || !isObject(object['metadata'])) return object;
  return { ...object, metadata: { uid: '', ...object['metadata'] } };
}

function sameSpec(old: unknown, spec: unknown): boolean {
  return isObject(old) && JSON.stringify(old['spec']) === JSON.stringify(spec);
}

function denied(uid: string, findings: readonly Finding[]): unknown {
  const { response, ...review } = deny(uid, findings.map(formatFinding).join('\n'));
  const causes = findings.map((finding) => ({
    reason: 'FieldValueInvalid',
    field: finding.path,
    message: said(finding),
  }));
  const status = { ...response.status, status: 'Failure', details: { group: GROUP, kind: KIND, causes } };
  return { ...review, response: { ...response, status } };
}

function warn(uid: string, warnings: readonly string[]): unknown {
  const { response, ...review } = allow(uid);
  if (warnings.length === 0) return { ...review, response };
  return {
    ...review,
    response: { ...response, warnings: warnings.slice(0, MAX_WARNINGS).map((text) => text.slice(0, MAX_WARNING)) },
  };
}

function said({ is, want, rule }: Finding): string {
  return `${is}; want ${want} (${rule})`;
}

/** What is allowed but does not do what its writer may expect. */
function notices(spec: unknown, old: unknown): string[] {
  const next = isObject(spec) && isObject(spec['restore']) ? spec['restore'] : {};
  const prior = isObject(old) && isObject(old['restore']) ? old['restore'] : {};
  const edited = isObject(old) && next['from'] !== undefined && next['from'] !== prior['from'];
  return edited && next['nonce'] === prior['nonce']
    ? ['spec.restore.from: was edited, and acts only together with a new spec.restore.nonce (status.plan says so, too)']
    : [];
}
