import type { FlinkJobSpec } from '../../api/flinkjob.ts';
import { isObject } from '../../api/json.ts';
import type { Child } from '../../api/kube.ts';
import { OPTIONAL_KINDS } from '../../api/optional-children.ts';
import { renderEpoch } from '../build/epoch.ts';
import { DecoratorFailure } from '../platform/decorate.ts';
import type { Platform } from '../platform/platform.ts';
import type { EpochRecord, JobRef } from '../record.ts';
import type { Finding } from '../types.ts';
import type { Problem } from '../validate/rule.ts';
import { CHECKS } from './checks.ts';
import { METADATA, POD, SERVICE_TYPE, type Node } from './allowed.ts';
import type { TenantProfile } from './profile.ts';
import { walk } from './walk.ts';

/** Id of the rule under which findings of the guard are told. */
export const TENANT_PROFILE = 'tenant-profile';

/** Labels and annotations that Flork itself gives. */
const OWN = /^(flork\.itom\.com|app\.kubernetes\.io)\//;

/** What specs are held against, and the platform whose defaults and decorators are in their pods. */
export type Guard = { readonly profile: TenantProfile; readonly platform?: Platform | undefined };

/**
 * What a valid spec would bring about that the profile does not allow. The children are rendered as they would be and looked at as
 * they are: by whatever way something came in (pod spec, configuration key, default, decorator), it is seen.
 */
export function forbidden(spec: FlinkJobSpec, ref: Omit<JobRef, 'uid'>, guard: Guard): readonly Finding[] {
  const { profile } = guard;
  const children = rendered(spec, ref, guard);
  if (children === undefined) return [];
  const { jobManager, taskManager, services } = children;
  const problems = [
    ...podProblems(jobManager, 'spec.jobManagerPodSpec', 'spec.jobManagerPodMeta', profile),
    ...(spec.taskManagerPodSpec === undefined && spec.taskManagerPodMeta === undefined
      ? podProblems(taskManager, 'spec.jobManagerPodSpec', 'spec.jobManagerPodMeta', profile)
      : podProblems(taskManager, 'spec.taskManagerPodSpec', 'spec.taskManagerPodMeta', profile)),
    ...optionalProblems(spec, profile),
    ...services.flatMap((service) => serviceProblems(service, profile)),
  ];
  const told = new Map(problems.map((problem) => [`${problem.path} ${problem.is}`, problem]));
  return [...told.values()].map((problem) => ({ rule: TENANT_PROFILE, ...problem }));
}

/** `undefined` where a decorator does not do its part: no epoch comes of that, and src/core/platform/judge.ts says so. */
function rendered(
  spec: FlinkJobSpec,
  ref: Omit<JobRef, 'uid'>,
  { platform }: Guard,
): EpochRecord['children'] | undefined {
  try {
    return renderEpoch({ ref: { ...ref, uid: '' }, number: 1, generation: 1, spec, handled: {}, platform }).children;
  } catch (error) {
    if (error instanceof DecoratorFailure) return undefined;
    throw error;
  }
}

/** Ingress and the like. */
function optionalProblems(spec: FlinkJobSpec, profile: TenantProfile): readonly Problem[] {
  const { is, want } = CHECKS.optionalChild;
  return OPTIONAL_KINDS.filter(({ field }) => isObject(spec[field]) && !is(field, profile)).map(({ field }) => ({
    path: `spec.${field}`,
    is: 'is not allowed',
    want,
  }));
}

function podProblems(deployment: Child, path: string, metaPath: string, profile: TenantProfile): readonly Problem[] {
  const template = at(at(deployment, 'spec'), 'template');
  return [
    ...walk(fields(POD), at(template, 'spec'), path, profile),
    ...metadata(at(template, 'metadata'), metaPath, profile),
  ];
}

function serviceProblems(service: Child, profile: TenantProfile): readonly Problem[] {
  return [
    ...walk(
      SERVICE_TYPE,
      at(at(service, 'spec'), 'type'),
      'spec.flinkConf["kubernetes.rest-service.exposed.type"]',
      profile,
    ),
    ...metadata(service.metadata, 'spec.flinkConf["kubernetes.rest-service"]', profile),
  ];
}

function metadata(given: unknown, path: string, profile: TenantProfile): readonly Problem[] {
  const foreign = (kind: string): unknown => {
    const map = at(given, kind);
    return isObject(map) ? Object.fromEntries(Object.entries(map).filter(([key]) => !OWN.test(key))) : undefined;
  };
  const asked = { labels: foreign('labels'), annotations: foreign('annotations') };
  return walk(fields(METADATA), asked, path, profile);
}

const fields = (known: Readonly<Record<string, Node>>): Node => ({
  kind: 'fields',
  fields: known,
  required: known === POD ? ['containers', 'securityContext'] : [],
});

function at(object: unknown, name: string): unknown {
  return isObject(object) ? object[name] : undefined;
}
