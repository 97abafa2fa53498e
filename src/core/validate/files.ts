import { quoted, type Problem, type Rule } from './rule.ts';

/** Largest spec: it is stored in the FlinkJob, in the record of its epoch and in what Metacontroller sends with every sync. */
export const LARGEST_SPEC = 200 * 1024;
/** Largest additional file: half of that leaves room for the rest. */
export const LARGEST_FILE = 100 * 1024;

/** The names of additional files are keys of a ConfigMap and lie beside Flink's own. */
export const fileNames: Rule = {
  id: 'file-names',
  check: ({ spec }) =>
    Object.keys(spec.additionalConfFiles ?? {}).flatMap((name): Problem[] => {
      const path = `spec.additionalConfFiles[${JSON.stringify(name)}]`;
      if (name === 'flink-conf.yaml' || name === 'config.yaml') {
        return [{ path, is: 'is the Flink configuration itself', want: 'spec.flinkConf in its place' }];
      }
      if (/^[-._a-zA-Z0-9]{1,253}$/.test(name) && !/^\.\.?$/.test(name) && !name.startsWith('..')) return [];
      return [
        { path, is: `is not a plain file name: ${quoted(name)}`, want: 'letters, digits, -, _ and . without a folder' },
      ];
    }),
};

/** A large file belongs into the image or a volume. */
export const fileSizes: Rule = {
  id: 'file-sizes',
  check: ({ spec }) =>
    Object.entries(spec.additionalConfFiles ?? {})
      .map(([name, text]) => ({ name, bytes: sizeOf(text) }))
      .filter(({ bytes }) => bytes > LARGEST_FILE)
      .map(({ name, bytes }) => ({
        path: `spec.additionalConfFiles[${JSON.stringify(name)}]`,
        is: `has ${bytes} bytes`,
        want: `at most ${LARGEST_FILE}; put it into the image or a volume`,
      })),
};

/** The whole spec has to be stored, recorded and sent. */
export const specSize: Rule = {
  id: 'spec-size',
  check: ({ spec }) => {
    const bytes = sizeOf(JSON.stringify(spec));
    if (bytes <= LARGEST_SPEC) return [];
    return [
      {
        path: 'spec',
        is: `has ${bytes} bytes as JSON`,
        want: `at most ${LARGEST_SPEC}; put large files into the image or a volume`,
      },
    ];
  },
};

/** Bytes of a text in UTF-8. */
function sizeOf(text: string): number {
  if (text.length * 3 <= LARGEST_FILE) return text.length;
  return new TextEncoder().encode(text).length;
}
