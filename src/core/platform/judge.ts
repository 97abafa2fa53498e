import type { FlinkJobSpec } from '../../api/flinkjob.ts';
import { isObject } from '../../api/json.ts';
import type { Child } from '../../api/kube.ts';
import { renderEpoch } from '../build/epoch.ts';
import { flinkVersionOf, IMAGE_KEYS, mainImageOf, versionInTag } from '../flink-version.ts';
import { rememberedByObject, rememberedByText } from '../memo.ts';
import type { JobRef } from '../record.ts';
import { MAIN_CONTAINER, ROLES } from '../role.ts';
import type { Finding, Input } from '../types.ts';
import { validateSpec } from '../validate/validate-spec.ts';
import { DecoratorFailure } from './decorate.ts';
import { effectiveSpec } from './effective.ts';
import type { Decorator, Platform } from './platform.ts';

/** Rules of findings that are about the platform and not about what the user wrote. */
export const PLATFORM_RULES: readonly string[] = ['decorator', 'platform-defaults'];

/**
 * The input, with a spec that the platform cannot render taken for an invalid one: nothing that runs is touched, nothing new is begun,
 * and status says whose fault it is. It is judged before anything is decided, so that no job is stopped for an epoch that cannot be.
 */
export function judgedByPlatform(input: Input): Input {
  const { platform, job } = input;
  if (platform === undefined || job.spec.kind === 'invalid') return input;
  if (platform.decorators.length + platform.defaults.length === 0) return input;
  const findings = judgedWith(platform)(job.spec.spec)(JSON.stringify(job.ref));
  return findings.length === 0 ? input : { ...input, job: { ...job, spec: { kind: 'invalid', findings } } };
}

/** What is wrong with what a platform makes of a valid spec; nothing when it can be rendered. */
export function judge(platform: Platform, ref: JobRef, spec: FlinkJobSpec): readonly Finding[] {
  const { defaults, decorators } = platform;
  const plain = judged({ defaults, decorators: [] }, ref, spec);
  if (plain.length > 0) return plain.map((finding) => ({ ...finding, rule: 'platform-defaults' }));
  for (const [index, decorator] of decorators.entries()) {
    const findings = judged({ defaults, decorators: decorators.slice(0, index + 1) }, ref, spec);
    if (findings.length > 0) return findings.map((finding) => blamed(decorator, finding));
  }
  return [];
}

/** A job's spec and the platform are the same objects from sync to sync. */
const judgedWith = rememberedByObject((platform: Platform) =>
  rememberedByObject((spec: FlinkJobSpec) =>
    rememberedByText(2, (refText) => judge(platform, JSON.parse(refText) as JobRef, spec)),
  ),
);

function judged(platform: Platform, ref: JobRef, spec: FlinkJobSpec): readonly Finding[] {
  try {
    const effective = effectiveSpec(platform, ref, spec);
    const verdict = validateSpec(effective, ref);
    if (verdict.kind === 'invalid') return verdict.findings;
    if (platform.decorators.length === 0) return [];
    const { children } = renderEpoch({ ref, number: 1, generation: 0, spec, handled: {}, platform });
    const pods = {
      jobManagerPodSpec: podSpecOf(children.jobManager),
      taskManagerPodSpec: podSpecOf(children.taskManager),
    };
    const rendered = validateSpec({ ...withoutImage(effective), ...pods }, ref);
    return rendered.kind === 'invalid' ? rendered.findings : otherVersion(effective, pods);
  } catch (error) {
    if (error instanceof DecoratorFailure) return [{ rule: 'decorator', path: 'it', is: error.is, want: error.want }];
    throw error;
  }
}

function blamed({ name }: Decorator, { path, is, want }: Finding): Finding {
  return {
    rule: 'decorator',
    path: `decorator ${name}`,
    is: path === 'it' ? is : `${path.replace(/^spec\./, '')} ${is}`,
    want,
  };
}

/** The rendered pods are judged as pod specs of a FlinkJob; they name the image, which a decorator may take from another registry. */
function withoutImage({ image: _, flinkConf = {}, ...spec }: FlinkJobSpec): FlinkJobSpec {
  const kept = Object.entries(flinkConf).filter(([key]) => !IMAGES.has(key));
  const version = flinkVersionOf({ ...spec, flinkConf, ...(_ === undefined ? {} : { image: _ }) });
  return {
    ...spec,
    ...(version === undefined ? {} : { flinkVersion: version }),
    flinkConf: Object.fromEntries(kept),
  };
}

const IMAGES: ReadonlySet<string> = new Set(IMAGE_KEYS);

/** What is rendered is written for one Flink version: a decorator may not take an image of another one. */
function otherVersion(
  effective: FlinkJobSpec,
  pods: Pick<FlinkJobSpec, 'jobManagerPodSpec' | 'taskManagerPodSpec'>,
): readonly Finding[] {
  const version = flinkVersionOf(effective);
  for (const role of ROLES) {
    const [asked, made] = [effective, pods].map((spec) => mainImageOf(spec, role) ?? '');
    const told = versionInTag(made ?? '');
    if (told !== undefined && told !== version && told !== versionInTag(asked ?? ''))
      return [{ rule: 'decorator', path: 'it', is: `makes the image ${made}`, want: `one of Flink ${version}` }];
  }
  return [];
}

function podSpecOf(deployment: Child): NonNullable<FlinkJobSpec['jobManagerPodSpec']> {
  const template = ((deployment['spec'] as { template?: unknown }).template ?? {}) as { spec?: unknown };
  const spec = isObject(template.spec) ? template.spec : {};
  const containers = Array.isArray(spec['containers']) ? spec['containers'] : [];
  const bare = containers.map((container: unknown) => {
    if (!isObject(container) || container['name'] !== MAIN_CONTAINER) return container;
    const { args: __, ...rest } = container;
    return rest;
  });
  return { ...spec, containers: bare } as NonNullable<FlinkJobSpec['jobManagerPodSpec']>;
}
