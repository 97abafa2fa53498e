import * as v from 'valibot';
import type { Shown } from '../../src/api/flinkjob.ts';
import { QUANTITY, type JsonSchema } from './json-schema.ts';

/** A valibot schema as far as the generator looks into it. */
type Schema = v.GenericSchema & {
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly item?: Schema;
  readonly value?: Schema;
  readonly wrapped?: Schema;
  readonly options?: readonly unknown[];
  readonly pipe?: readonly { readonly type: string; readonly requirement?: unknown }[];
};

/** How to show what is not told by types; `strict: false` leaves out what would make the API server refuse a write (status). */
export type Showing = { readonly podSpec: JsonSchema; readonly strict: boolean };

/** The structural schema of a valibot schema. */
export function structural(schema: v.GenericSchema, showing: Showing): JsonSchema {
  const own = schema as Schema;
  if (own.wrapped !== undefined) return structural(own.wrapped, showing);
  const description = v.getDescription(schema);
  const shown = v.getMetadata(schema)['shown'] as Shown | undefined;
  const shape = shown === undefined ? shapeOf(own, showing) : shapeOfShown(shown, own, showing);
  return { ...(description !== undefined && { description }), ...shape, ...bounds(own) };
}

function shapeOfShown(shown: Shown, schema: Schema, showing: Showing): JsonSchema {
  switch (shown) {
    case 'pod-spec':
      return showing.podSpec;
    case 'quantity':
      return QUANTITY;
    case 'int-or-string':
      return { 'x-kubernetes-int-or-string': true };
    case 'any-fields':
      return { type: 'object', ...fieldsOf(schema, showing), 'x-kubernetes-preserve-unknown-fields': true };
    default:
      return shown satisfies never;
  }
}

function shapeOf(schema: Schema, showing: Showing): JsonSchema {
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'number':
      return { type: schema.type };
    case 'picklist':
      return { type: 'string', ...(showing.strict && { enum: schema.options ?? [] }) };
    case 'array':
      return { type: 'array', items: structural(required(schema.item), showing) };
    case 'record':
      return { type: 'object', additionalProperties: structural(required(schema.value), showing) };
    case 'object':
      return { type: 'object', ...fieldsOf(schema, showing) };
    default:
      throw new Error(`the CRD generator does not know valibot's ${schema.type}`);
  }
}

function fieldsOf(schema: Schema, showing: Showing): JsonSchema {
  const entries = Object.entries(schema.entries ?? {});
  if (entries.length === 0) return {};
  const needed = entries.filter(([, field]) => field.wrapped === undefined).map(([name]) => name);
  const properties = Object.fromEntries(entries.map(([name, field]) => [name, structural(field, showing)]));
  return { ...(showing.strict && needed.length > 0 && { required: needed }), properties };
}

/** Integers and limits stand in the pipe. */
function bounds(schema: Schema): JsonSchema {
  const result: JsonSchema = {};
  for (const { type, requirement } of schema.pipe ?? []) {
    if (type === 'integer' || type === 'safe_integer') result.type = 'integer';
    if (typeof requirement !== 'number') continue;
    if (type === 'min_value') result.minimum = requirement;
    if (type === 'max_value') result.maximum = requirement;
    if (type === 'max_length') result.maxLength = requirement;
  }
  if (result.type === 'integer') result.format = (result.maximum ?? Infinity) < 2 ** 31 ? 'int32' : 'int64';
  return result;
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a list or map without the schema of its items');
  return value;
}
