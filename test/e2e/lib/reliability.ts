import type { Result } from './results.ts';

const HEAD = `# Reliability, as measured

What \`npm run e2e:full\` found on real Flink, written by \`npm run e2e:report\` from \`test/e2e/results/full.jsonl\`: every run of every case
stands there; here the runs on the newest Flork that ran a case are counted.

In each case a job runs that numbers its records, checks in its state that it has seen each number exactly once (a number that is lost or
counted twice in state ends it for good), and commits them through a transactional sink. Its state and all of its committed output are
judged: anything lost fails; anything committed twice fails, but in the cases that [lifecycle.md](lifecycle.md#what-is-promised) names.
More than one savepoint of one attempt fails.
`;

const KILLS = `## Kills during a stop with savepoint
While the spec changes and the job is stopped with a savepoint, everything is held at the named point, the process is killed with
\`kill -9\`, and everything goes on. Where output is committed twice, \`history\` has to say \`Rewound\`.`;

const SCENARIOS = `## Scenarios
Rows of the scenario table, by its numbers.`;

const TLS = `## Mutual TLS with Flink
The recipe of [tls.md](tls.md#flinks-rest).`;

const CONTRACT = `## Contract of the model
What the simulator's model of Flink promises (\`test/contract\`), told to real Flink.`;

type Row = {
  readonly name: string;
  readonly what: string;
  readonly where: string;
  readonly runs: Result[];
};

/** The page: where and when it was measured, then a row for each case on each Flink. Only the newest commit of a case counts. */
export function reliabilityPage(results: readonly Result[]): string {
  const rows = new Map<string, Row>();
  const current = newestOf(results);
  for (const result of current) {
    const where = `${result.flink}${result.ha ? ', high availability' : ''}`;
    const key = `${result.name} ${where}`;
    const row = rows.get(key) ?? { name: result.name, what: result.what, where, runs: [] };
    row.runs.push(result);
    rows.set(key, row);
  }
  const sorted = [...rows.values()].toSorted(
    (a, b) => a.where.localeCompare(b.where) || a.name.localeCompare(b.name, 'en', { numeric: true }),
  );
  const of = (group: string): readonly Row[] => sorted.filter(({ name }) => name.startsWith(group));
  return `${HEAD}\n${surroundings(current)}${older(results.length - current.length)}\n\n${KILLS}\n\n${kills(of('kill/'))}\n\n${SCENARIOS}\n\n${scenarios(of('scenario/'))}\n\n${TLS}\n\n${scenarios(of('tls/'))}\n\n${CONTRACT}\n\n${scenarios(of('contract/'))}\n`;
}

const count = ({ runs }: Row, counts: (run: Result) => boolean): number => runs.filter(counts).length;
const outcome = (row: Row): string => `${count(row, ({ ok }) => ok)} | ${count(row, ({ ok }) => !ok)}`;

function kills(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const repeated = count(row, (run) => run.repeated > 0);
    const held = count(row, ({ note }) => note.includes('held'));
    return `| ${row.name}: ${row.what} | ${row.where} | ${outcome(row)} | ${repeated} | ${held} |`;
  });
  return [
    '| case | Flink | passed | failed | output repeated, and told | held, and a person named the savepoint |',
    '|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

function scenarios(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const note = row.runs.findLast(({ ok }) => ok)?.note ?? '';
    return `| ${row.name.replace(/^\w+\//, '')}: ${row.what} | ${row.where} | ${outcome(row)} | ${note} |`;
  });
  return ['| case | Flink | passed | failed | seen |', '|---|---|---|---|---|', ...lines].join('\n');
}

/** Runs of a case on the newest commit that ran it there: an older Flork's results say nothing of this one. */
function newestOf(results: readonly Result[]): readonly Result[] {
  const keyOf = ({ name, flink, ha }: Result): string => `${name} ${flink} ${ha}`;
  const newest = new Map(results.map((result) => [keyOf(result), result.commit]));
  return results.filter((result) => newest.get(keyOf(result)) === result.commit);
}

function older(count: number): string {
  return count === 0 ? '' : ` ${count} runs on older commits are not counted.`;
}

function surroundings(results: readonly Result[]): string {
  if (results.length === 0) return 'No case has been run.';
  const of = (pick: (result: Result) => string): string => [...new Set(results.map(pick))].toSorted().join(', ');
  const days = results.map(({ at }) => at.slice(0, 10)).toSorted();
  const failed = results.filter(({ ok }) => !ok).length;
  return `${results.length} runs, ${failed} failed. ${days[0]} to ${days.at(-1)}; Flink ${of(({ flink }) => flink)}; Kubernetes ${of(({ kubernetes }) => kubernetes)}; ${of(({ host }) => host)}; one node with two cores; commits ${of(({ commit }) => commit)}.`;
}
