import type { JsonObject } from '../api/kube.ts';
import type { Duty } from '../core/duty.ts';

type Call = { readonly method: 'POST' | 'DELETE'; readonly path: string; readonly body: JsonObject };

const NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Whether this may become part of a path: the name of an object, or of a namespace. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/**
 * The calls that carry out a duty. The core made the names; they are looked at once more before they become part of a path.
 * `undefined`: not one of Flork's.
 */
export function requestsOf(duty: Duty): readonly Call[] | undefined {
  const { namespace, job } = duty;
  const configMaps = duty.kind === 'clean-high-availability' ? duty.configMaps : [];
  const own = configMaps.every((name) => name.startsWith(`${job}-`) && name.endsWith('-config-map'));
  return own && [namespace, job, ...configMaps].every((name) => isName(name)) ? callsOf(duty) : undefined;
}

function callsOf(duty: Duty): readonly Call[] {
  const { namespace } = duty;
  const options = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' };
  switch (duty.kind) {
    case 'clean-high-availability':
      return duty.configMaps.map((name) => ({
        method: 'DELETE',
        path: `/api/v1/namespaces/${namespace}/configmaps/${name}`,
        body: options,
      }));
    case 'delete-self': {
      const path = `/apis/flork.itom.com/v1/namespaces/${namespace}/flinkjobs/${duty.job}`;
      return [{ method: 'DELETE', path, body: { ...options, preconditions: { uid: duty.uid } } }];
    }
    case 'events':
      return [{ method: 'POST', path: `/api/v1/namespaces/${namespace}/events`, body: eventOf(duty) }];
    default:
      return duty satisfies never;
  }
}

function eventOf(duty: Extract<Duty, { readonly kind: 'events' }>): JsonObject {
  const { namespace, job, uid, name, type, reason, message, at } = duty;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace },
    involvedObject: { apiVersion: 'flork.itom.com/v1', kind: 'FlinkJob', name: job, namespace, uid },
    type,
    reason,
    message,
    source: { component: 'flork' },
    reportingComponent: 'flork',
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  };
}
