import type { FlinkVersion } from '../../api/flinkjob.ts';
import { isAtLeast } from '../flink-version.ts';
import type { Conf, Context } from './context.ts';
import type { Feature } from './feature.ts';

/** Keys that the entry point takes from its command line, where Flork says them. */
const SAID_ELSEWHERE = new Set(['pipeline.jars']);

/** The effective configuration: features < the user < what features own. */
export function effectiveConf(context: Context, features: readonly Feature[]): Conf {
  const layers = [
    ...features.map((feature) => feature.conf?.(context) ?? {}),
    context.user,
    ...features.map((feature) => feature.ownedConf?.(context) ?? {}),
  ];
  const silenced = new Set([...SAID_ELSEWHERE, ...context.references.map(({ key }) => key)]);
  return Object.fromEntries(layers.flatMap((layer) => Object.entries(layer)).filter(([key]) => !silenced.has(key)));
}

/** Name and text of Flink's configuration file: before 2.0 the legacy form, which wins over the other wherever both exist. */
export function confFile(version: FlinkVersion, conf: Conf): { readonly name: string; readonly text: string } {
  const entries = Object.entries(conf).sort(([one], [other]) => (one < other ? -1 : 1));
  return isAtLeast(version, '2.0')
    ? { name: 'config.yaml', text: lines(entries.map(([key, value]) => yamlLine(key, value))) }
    : { name: 'flink-conf.yaml', text: lines(entries.map(([key, value]) => `${key}: ${oneLine(value)}`)) };
}

/**
 * Every scalar quoted, as a job id such as 12e5… would be a number to the parser. JSON's escapes are YAML's.
 * One key is read by a shell script before any parser runs, and a quote would be part of the path.
 */
function yamlLine(key: string, value: string): string {
  const name = /^[\w$][\w.$/-]*$/.test(key) ? key : JSON.stringify(key);
  return key === 'env.java.home' && /^[\w./-]+$/.test(value)
    ? `${name}: ${value}`
    : `${name}: ${JSON.stringify(value)}`;
}

/** The legacy form ends a value at the end of its line. */
function oneLine(value: string): string {
  return value.trim().replaceAll(/\s*\n\s*/g, ' ');
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

/** The configuration in a file that `confFile` wrote: what an epoch was truly rendered with. */
export function readConfFile(files: Readonly<Record<string, string>>): Conf {
  const yaml = files['config.yaml'];
  const text = yaml ?? files['flink-conf.yaml'] ?? '';
  const entries = text.split('\n').flatMap((line): [string, string][] => {
    const cut = line.indexOf(': ');
    return cut < 0
      ? []
      : [[line.slice(0, cut), yaml === undefined ? line.slice(cut + 2) : scalar(line.slice(cut + 2))]];
  });
  return Object.fromEntries(entries);
}

function scalar(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}
