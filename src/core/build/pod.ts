import { mainContainerOf, podMetaOf, podSpecOf, MAIN_CONTAINER, type Role } from '../role.ts';
import { merge } from '../merge.ts';
import type { Conf, Context } from './context.ts';
import type { Feature, PodLayer } from './feature.ts';

/** A layer that says something of the main container only. */
export function main(
  fields: Readonly<Record<string, unknown>>,
  spec: Readonly<Record<string, unknown>> = {},
): PodLayer {
  return { spec: { ...spec, containers: [{ name: MAIN_CONTAINER, ...fields }] } };
}

/** The pod template of a role: the features' layers, the user's pod spec over them, what is owned on top. */
export function podTemplate(
  context: Context,
  role: Role,
  conf: Conf,
  features: readonly Feature[],
): Readonly<Record<string, unknown>> {
  return merge(
    main({}),
    ...features.map((feature) => feature.pod?.(context, role, conf)),
    userLayer(context, role),
    ...features.map((feature) => feature.ownedPod?.(context, role, conf)),
  );
}

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
