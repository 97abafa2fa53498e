/** A structural schema of a CRD (apiextensions.k8s.io/v1 JSONSchemaProps), the fields in use. */
export type JsonSchema = {
  type?: string;
  format?: string;
  description?: string;
  properties?: Record<string, JsonSchema>;
  required?: readonly string[];
  items?: JsonSchema;
  additionalProperties?: JsonSchema;
  enum?: readonly unknown[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  maxProperties?: number;
  pattern?: string;
  default?: unknown;
  'x-kubernetes-int-or-string'?: true;
  'x-kubernetes-preserve-unknown-fields'?: true;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: readonly string[];
  'x-kubernetes-map-type'?: string;
  'x-kubernetes-validations'?: readonly CelRule[];
};

/** A CEL rule: refused with the message when it is false. `fieldPath` is relative to where the rule stands. */
export type CelRule = {
  readonly rule: string;
  readonly message: string;
  /** CEL that gives a message which names what was found. */
  readonly messageExpression?: string;
  readonly reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate';
  readonly fieldPath?: string;
};

/** A quantity: the official schema says "string or number" and leaves the rest to Go code, which a CRD does not have. */
export const QUANTITY: JsonSchema = {
  'x-kubernetes-int-or-string': true,
  minimum: 0,
  pattern: '^[+]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$',
};
