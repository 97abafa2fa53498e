import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parseAllDocuments } from 'yaml';
import { KIND } from '../api/flinkjob.ts';
import { isObject } from '../api/json.ts';

/** A FlinkJob with the document it is in, counted from 0. */
export type Job = { readonly object: Readonly<Record<string, unknown>>; readonly document: number };

/**
 * The FlinkJobs of a YAML file (`-` is standard input); objects of other kinds are passed over. YAML 1.1 is what kubectl reads.
 * Throws when the file cannot be read, is no YAML, or holds no FlinkJob.
 */
export async function readFlinkJobs(file: string): Promise<readonly Job[]> {
  const content = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  const documents = parseAllDocuments(content, { version: '1.1' }).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS() as unknown;
  });
  const jobs = documents.flatMap((object, document) =>
    isObject(object) && object['kind'] === KIND ? [{ object, document }] : [],
  );
  if (jobs.length === 0) throw new Error(`holds no ${KIND}`);
  return jobs;
}
