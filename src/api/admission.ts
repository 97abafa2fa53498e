import * as v from 'valibot';

/** AdmissionReview of admission.k8s.io/v1, the fields in use; objects of other kinds and versions are let through by the route. */
export const AdmissionReview = v.looseObject({
  apiVersion: v.literal('admission.k8s.io/v1'),
  kind: v.literal('AdmissionReview'),
  request: v.looseObject({
    uid: v.string(),
    kind: v.looseObject({ group: v.string(), version: v.string(), kind: v.string() }),
    name: v.optional(v.string()),
    namespace: v.optional(v.string()),
    operation: v.picklist(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']),
    /** The object as it would be stored; null for DELETE. */
    object: v.optional(v.nullable(v.unknown())),
  }),
});

export type AdmissionReview = v.InferOutput<typeof AdmissionReview>;

/** The answer: `status.message` is what kubectl prints after "denied the request:". */
export type AdmissionResponse = {
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly kind: 'AdmissionReview';
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
  };
};

/** The answer that lets a request through. */
export function allow(uid: string): AdmissionResponse {
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed: true } };
}

/** The answer that refuses a request, as the API server refuses a field (422, Invalid). */
export function deny(uid: string, message: string): AdmissionResponse {
  const status = { code: 422, reason: 'Invalid', message };
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed: false, status } };
}
