import type { Child } from '../../api/kube.ts';
import { OPTIONAL_KINDS } from '../../api/optional-children.ts';
import type { JobRef } from '../record.ts';
import { canonical, canonicalJson } from './canonical.ts';
import { sha256Hex } from './hash.ts';
import { labels, type Component } from './labels.ts';

/** Annotation of every child: hash of what Flork wants it to be, so that a child that the cluster refused to take can be told. */
const DESIRED_HASH = 'flork.itom.com/desired-hash';

/** A child in canonical form, without the hash of itself: what a record keeps. */
export function child(
  ref: JobRef,
  kind: Child['kind'],
  name: string,
  component: Component,
  content: Readonly<Record<string, unknown>>,
): Child {
  const metadata = { name, namespace: ref.namespace, labels: labels(ref, component), ...metadataOf(content) };
  const optional = OPTIONAL_KINDS.find((one) => one.kind === kind);
  const apiVersion = optional?.apiVersion ?? (kind === 'Deployment' ? 'apps/v1' : 'v1');
  return canonical<Child>({ ...content, apiVersion, kind, metadata });
}

/** The child as Metacontroller gets it: with the hash of its own content as an annotation. */
export function sealed(unsealed: Child): Child {
  const { [DESIRED_HASH]: _, ...annotations } = unsealed.metadata.annotations ?? {};
  const bare = canonical<Child>({ ...unsealed, metadata: { ...unsealed.metadata, annotations } });
  const hash = sha256Hex(canonicalJson(bare)).slice(0, 16);
  return canonical<Child>({
    ...bare,
    metadata: { ...bare.metadata, annotations: { ...annotations, [DESIRED_HASH]: hash } },
  });
}

/** The child with further annotations. */
export function annotated(bare: Child, annotations: Readonly<Record<string, string>>): Child {
  return { ...bare, metadata: { ...bare.metadata, annotations: { ...bare.metadata.annotations, ...annotations } } };
}

function metadataOf(content: Readonly<Record<string, unknown>>): Partial<Child['metadata']> {
  return (content['metadata'] ?? {}) as Partial<Child['metadata']>;
}
