import { readFileSync } from 'node:fs';
import { STEPS } from '../../src/core/lifecycle/states.ts';
import { ruleLines } from './rules.ts';

const PAGE = new URL('../../docs/lifecycle.md', import.meta.url);

/** docs/lifecycle.md with its generated parts made anew: the state diagram from states.ts, the table of rules from decide.ts. */
export function lifecyclePage(page: string = readFileSync(PAGE, 'utf8')): string {
  return filled(filled(page, 'states', diagram()), 'rules', table());
}

/** The text between `<!-- generated: name -->` and `<!-- end -->` replaced; a page without that place is a bug. */
function filled(page: string, name: string, content: string): string {
  const place = new RegExp(`(<!-- generated: ${name} -->\n)[\\s\\S]*?(<!-- end -->)`);
  if (!place.test(page)) throw new Error(`docs/lifecycle.md has no place for ${name}`);
  return page.replace(place, (_, begin: string, end: string) => `${begin}${content}${end}`);
}

function diagram(): string {
  const lines = STEPS.map(({ from, to, when }) => `    ${from} --> ${to}: ${when}`);
  return [
    '```mermaid',
    'stateDiagram-v2',
    '    [*] --> Created',
    ...lines,
    '    Deleting --> [*]: nothing left',
    '```',
    '',
  ].join('\n');
}

function table(): string {
  const rows: string[] = [];
  let group = '';
  for (const line of ruleLines()) {
    if (line.group !== group) rows.push(`| **${line.group}** | | |`);
    group = line.group;
    rows.push(`| ${line.name} | ${line.text} | [${line.file}](../src/core/lifecycle/${line.file}) |`);
  }
  return ['| rule | answers when | in |', '|---|---|---|', ...rows, ''].join('\n');
}
