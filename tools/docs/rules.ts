import { readFileSync } from 'node:fs';

/** A rule of src/core/lifecycle/decide.ts and what its line says. */
export type RuleLine = { readonly group: string; readonly name: string; readonly text: string; readonly file: string };

const SOURCE = new URL('../../src/core/lifecycle/decide.ts', import.meta.url);

/** The list of rules as decide.ts spells it: groups are comment lines, each rule has its comment behind it. */
export function ruleLines(source: string = readFileSync(SOURCE, 'utf8')): readonly RuleLine[] {
  const list = /RULES[^=]*= \[\n(?<body>[\s\S]*?)\n\];/.exec(source)?.groups?.['body'] ?? '';
  const files = importedFrom(source);
  const lines: RuleLine[] = [];
  let group = '';
  for (const line of list.split('\n')) {
    const heading = /^ {2}\/\/ (?<text>.+)$/.exec(line)?.groups?.['text'];
    const rule = /^ {2}(?<name>\w+),(?:\s+\/\/\s*(?<text>.*))?$/.exec(line)?.groups;
    if (heading !== undefined) group = heading;
    if (rule?.['name'] !== undefined) {
      const { name, text = '' } = rule;
      lines.push({ group, name, text, file: files.get(name) ?? '' });
    }
  }
  return lines;
}

/** Which file each imported name comes from. */
function importedFrom(source: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const [, names = '', file = ''] of source.matchAll(/import \{([^}]*)\} from '\.\/([\w-]+\.ts)'/g)) {
    for (const name of names.split(',')) files.set(name.trim(), file);
  }
  return files;
}
