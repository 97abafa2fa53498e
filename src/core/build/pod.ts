import { mainContainerOf, podMetaOf, podSpecOf, MAIN_CONTAINER, type Role } from '../role.ts';
import { merge } from '../merge.ts';
import { decorated } from '../platform/decorate.ts';
import { decoratedJob } from '../platform/effective.ts';
import type { Conf, Context } from './context.ts';
import type { AboutPod } from '../platform/platform.ts';
import type { Feature, PodLayer } from './feature.ts';

/** A layer that says something of the main container only. */
export function main(
  fields: Readonly<Record<string, unknown>>,
  spec: Readonly<Record<string, unknown>> = {},
): PodLayer {
  return { spec: { ...spec, containers: [{ name: MAIN_CONTAINER, ...fields }] } };
}

/** The pod template of a role: the features' layers, the user's pod spec over them, decorated, what is owned on top. */
export function podTemplate(context: Context, role: Role, conf: Conf, features: readonly Feature[]): Template {
  const template = plainTemplate(context, role, conf, features);
  return merge(
    { ...template, spec: decoratedSpec(context, role, template) },
    ...features.map((feature) => feature.ownedPod?.(context, role, conf)),
  );
}

/** The pod template as decorators get it. */
export function plainTemplate(context: Context, role: Role, conf: Conf, features: readonly Feature[]): Template {
  const layers = features.map((feature) => feature.pod?.(context, role, conf));
  return merge(main({}), ...layers, userLayer(context, role));
}

/** The pod spec after each decorator that has something to say about pods. */
export function decoratedSpec(context: Context, role: Role, template: Template): unknown {
  const job = decoratedJob(context.ref, context.spec);
  if (job === undefined) return template['spec'];
  const podMeta = podMetaOf(context.spec, role) ?? {};
  const florkConf = context.spec.florkConf ?? {};
  return context.decorators.reduce<Template>(
    (below, decorator) => {
      const { podSpec } = decorator;
      if (podSpec === undefined) return below;
      const about = JSON.stringify({ role, podMeta, florkConf, job });
      return decorated(decorator, below, (copy) => podSpec(copy, JSON.parse(about) as AboutPod));
    },
    (template['spec'] ?? {}) as Template,
  );
}

type Template = Readonly<Record<string, unknown>>;

/** The user's resources of a role's main container: its pod spec, over the silence of which stands the shorthand. */
export function userResources(context: Context, role: Role): Resources {
  const shorthand = role === 'jobmanager' ? context.spec.jobManagerResources : context.spec.taskManagerResources;
  return merge(shorthand, mainContainerOf(context.spec, role)?.['resources'] as Resources | undefined) as Resources;
}

/** Requests and limits by resource name. */
type Resources = {
  readonly requests?: Readonly<Record<string, string | number>>;
  readonly limits?: Readonly<Record<string, string | number>>;
};

function userLayer(context: Context, role: Role): PodLayer {
  const { labels = {}, annotations = {} } = podMetaOf(context.spec, role) ?? {};
  return { metadata: { labels, annotations }, spec: podSpecOf(context.spec, role) ?? {} };
}
