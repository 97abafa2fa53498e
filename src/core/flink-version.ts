import { FLINK_VERSIONS, type FlinkJobSpec, type FlinkVersion } from '../api/flinkjob.ts';
import { flattenConf } from './flink-conf-keys.ts';
import { mainContainerOf, type Role } from './role.ts';

/** Configuration keys of native mode that name the image, the newest spelling first. */
export const IMAGE_KEYS = ['kubernetes.container.image.ref', 'kubernetes.container.image'] as const;

/** `1.20`, `1.20.4`, `1.20.4-scala_2.12`, `1.20.4-scala_2.12-java17`, `2.2-java21`: the tags of the official images. */
const TAG = /^(?<minor>\d+\.\d+)(?:\.\d+)?(?:-scala_?[\d.]+)?(?:-java\d+)?$/;

/** The Flink version a spec runs: `flinkVersion`, else what the JobManager's image tag says; `undefined` when unknown or unsupported. */
export function flinkVersionOf(spec: FlinkJobSpec): FlinkVersion | undefined {
  if (spec.flinkVersion !== undefined) return spec.flinkVersion;
  const image = mainImageOf(spec, 'jobmanager');
  const told = image === undefined ? undefined : versionInTag(image);
  return FLINK_VERSIONS.find((version) => version === told);
}

/** The image of a role's main container, wherever the user named it. Validation has seen that the places do not differ. */
export function mainImageOf(spec: FlinkJobSpec, role: Role): string | undefined {
  if (spec.image !== undefined) return spec.image;
  const ofContainer = mainContainerOf(spec, role)?.['image'];
  if (typeof ofContainer === 'string') return ofContainer;
  const { entries } = flattenConf(spec.flinkConf);
  const configured = IMAGE_KEYS.map((key) => entries.get(key)).find((value) => value !== undefined);
  return typeof configured === 'string' ? configured : undefined;
}

/** `x.y` of an image whose tag is written like the official ones; of any other tag, a digest alone or no tag: `undefined`. */
export function versionInTag(image: string): string | undefined {
  const [name = ''] = image.split('@');
  const last = name.slice(name.lastIndexOf('/') + 1);
  const colon = last.indexOf(':');
  return colon === -1 ? undefined : TAG.exec(last.slice(colon + 1))?.groups?.['minor'];
}

/** Whether a Flink version is the given one or newer. */
export function isAtLeast(version: FlinkVersion, least: FlinkVersion): boolean {
  return FLINK_VERSIONS.indexOf(version) >= FLINK_VERSIONS.indexOf(least);
}
