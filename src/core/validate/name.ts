import { quoted, type Rule } from './rule.ts';

/** Longest name of a FlinkJob: with the suffixes of its children it has to stay a label value (63). */
export const LONGEST_NAME = 45;

/** The names of children, labels and DNS names are built from the job's. */
export const jobName: Rule = {
  id: 'job-name',
  check: ({ meta }) => {
    if (meta.name.length <= LONGEST_NAME && /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(meta.name)) return [];
    const want = `at most ${LONGEST_NAME} characters, a-z, 0-9 and -, beginning with a letter and not ending with -`;
    return [{ path: 'metadata.name', is: `is ${quoted(meta.name)} (${meta.name.length} characters)`, want }];
  },
};
