import type { Child } from '../../../src/api/kube.ts';
import type { Operation } from '../../../src/api/status.ts';
import { epochChildren } from '../../../src/core/build/children.ts';
import { encodeRecord, readRecord, recordConfigMap } from '../../../src/core/build/record.ts';
import type { EpochRecord } from '../../../src/core/record.ts';
import type { Input, ObservedJob, Outcome } from '../../../src/core/types.ts';
import { numberAt } from '../../../src/sim/models/objects.ts';
import type { Core } from './core.ts';

/**
 * An earlier version of Flork, for two versions that answer in turn: it renders the epochs that it declares otherwise, knows neither
 * savepoints of a job that goes on nor the newest fields of an operation, and drops what it does not know.
 */
export function earlier(core: Core): Core {
  return {
    ...core,
    readJob: (parent) => known(core.readJob(parent)),
    reconcile: (input) => rendered(input, written(core.reconcile(input))),
    acknowledge: (outcome, results, duties) => written(core.acknowledge(outcome, results, duties)),
  };
}

function known(job: ObservedJob): ObservedJob {
  const spec = job.spec.kind === 'valid' ? { ...job.spec, spec: withoutNonce(job.spec.spec) } : job.spec;
  const { operation, ...status } = job.status ?? {};
  if (operation === undefined) return { ...job, spec };
  if (operation.kind === 'savepoint') return { ...job, spec, status, strange: operation };
  return { ...job, spec, status: { ...status, operation: withoutNewest(operation) } };
}

function withoutNonce<Spec extends { readonly savepointNonce?: unknown }>({ savepointNonce: _, ...spec }: Spec): Spec {
  return spec as Spec;
}

function withoutNewest({ known: _, askedAt: __, unknownSince: ___, ...operation }: Operation): Operation {
  return operation;
}

function written(outcome: Outcome): Outcome {
  const { operation } = outcome.status;
  // What it does not know goes back as it came.
  if (operation === undefined || operation.kind === 'savepoint') return outcome;
  return { ...outcome, status: { ...outcome.status, operation: withoutNewest(operation) } };
}

const DECLARES = new Set(['firstStart', 'declareNext', 'declareAgain']);
const NOTE = { 'example.com/rendered-by': 'an earlier version' };

/** The record of an epoch that is declared in this answer, and what is made of it, as this version renders it. */
function rendered({ job }: Input, outcome: Outcome): Outcome {
  const { epoch } = outcome.status;
  if (!DECLARES.has(outcome.rule)) return outcome;
  const before = outcome.children.find((child) => readOf(child)?.record.number === epoch?.number);
  const read = before && readOf(before);
  if (!read || epoch === undefined || epoch.recordHash !== read.hash) return outcome;
  const record = otherwise(read.record);
  const { hash } = encodeRecord(record);
  const made = epochChildren(job.ref, record, hash, {
    jobManager: replicasOf(outcome, '-jobmanager'),
    taskManager: replicasOf(outcome, '-taskmanager'),
  });
  const started = outcome.children.some(
    ({ metadata }) => metadata.annotations?.['flork.itom.com/record-hash'] === read.hash,
  );
  const by = new Map(
    [recordConfigMap(job.ref, record), ...(started ? made : [])].map((child) => [keyOf(child), child]),
  );
  return {
    ...outcome,
    children: outcome.children.map((child) => by.get(keyOf(child)) ?? child),
    status: { ...outcome.status, epoch: { ...epoch, recordHash: hash } },
  };
}

const keyOf = ({ kind, metadata }: Child): string => `${kind}/${metadata.name}`;

function readOf(child: Child): ReturnType<typeof readRecord> {
  const { binaryData } = child as { readonly binaryData?: Readonly<Record<string, string>> };
  return child.kind === 'ConfigMap' && binaryData ? readRecord({ binaryData }) : undefined;
}

function otherwise(record: EpochRecord): EpochRecord {
  const { jobManager, taskManager } = record.children;
  return {
    ...record,
    children: { ...record.children, jobManager: noted(jobManager, NOTE), taskManager: noted(taskManager, NOTE) },
  };
}

/** The pods get an annotation more: enough to restart them, were it done to an epoch that runs. */
export function noted(deployment: Child, note: Readonly<Record<string, string>>): Child {
  const spec = deployment['spec'] as { readonly template: { readonly metadata: { readonly annotations?: object } } };
  const { template } = spec;
  const metadata = { ...template.metadata, annotations: { ...template.metadata.annotations, ...note } };
  return { ...deployment, spec: { ...spec, template: { ...template, metadata } } };
}

function replicasOf({ children }: Outcome, name: string): number {
  const found = children.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name.endsWith(name));
  return numberAt(found, 'spec', 'replicas') ?? 0;
}
