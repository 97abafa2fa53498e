import type { Result } from './results.ts';

const HEAD = `# Reliability, as measured

What \`npm run e2e:full\` found on real Flink, written by \`npm run e2e:report\` from \`test/e2e/results/full.jsonl\`: every run of every case
stands there, and is counted here.

In each case a job runs that numbers its records, checks in its state that it has seen each number exactly once (a number that is lost or
counted twice in state ends it for good), and commits them through a transactional sink. While its spec changes and it is stopped with a
savepoint, everything is held at the named point, the process is killed with \`kill -9\`, and everything goes on. Then its state and all of its
committed output are judged: anything lost fails; anything committed twice fails, but in the cases that
[lifecycle.md](lifecycle.md#what-is-promised) names, and there \`history\` has to say \`Rewound\`. More than one savepoint of one attempt fails.
`;

type Row = {
  readonly what: string;
  readonly where: string;
  passed: number;
  failed: number;
  repeated: number;
  held: number;
};

/** The page: where and when it was measured, then a row for each case on each Flink. Only the newest commit of a case counts. */
export function reliabilityPage(results: readonly Result[]): string {
  const rows = new Map<string, Row>();
  const current = newestOf(results);
  for (const result of current) {
    const where = `${result.flink}${result.ha ? ', high availability' : ''}`;
    const key = `${result.name} ${where}`;
    const row = rows.get(key) ?? {
      what: `${result.name}: ${result.what}`,
      where,
      passed: 0,
      failed: 0,
      repeated: 0,
      held: 0,
    };
    if (result.ok) row.passed++;
    else row.failed++;
    if (result.repeated > 0) row.repeated++;
    if (result.note.includes('held')) row.held++;
    rows.set(key, row);
  }
  const lines = [...rows.values()].map(
    ({ what, where, passed, failed, repeated, held }) =>
      `| ${what} | ${where} | ${passed} | ${failed} | ${repeated} | ${held} |`,
  );
  const table = [
    '| case | Flink | passed | failed | output repeated, and told | held, and a person named the savepoint |',
    '|---|---|---|---|---|---|',
    ...lines,
  ];
  return `${HEAD}\n${surroundings(current)}\n\n${table.join('\n')}\n`;
}

/** Runs of a case on the newest commit that ran it there: an older Flork's results say nothing of this one. */
function newestOf(results: readonly Result[]): readonly Result[] {
  const keyOf = ({ name, flink, ha }: Result): string => `${name} ${flink} ${ha}`;
  const newest = new Map(results.map((result) => [keyOf(result), result.commit]));
  return results.filter((result) => newest.get(keyOf(result)) === result.commit);
}

function surroundings(results: readonly Result[]): string {
  if (results.length === 0) return 'No case has been run.';
  const of = (pick: (result: Result) => string): string => [...new Set(results.map(pick))].toSorted().join(', ');
  const days = results.map(({ at }) => at.slice(0, 10)).toSorted();
  const failed = results.filter(({ ok }) => !ok).length;
  return `${results.length} runs, ${failed} failed. ${days[0]} to ${days.at(-1)}; Flink ${of(({ flink }) => flink)}; Kubernetes ${of(({ kubernetes }) => kubernetes)}; ${of(({ host }) => host)}; one node with two cores; commits ${of(({ commit }) => commit)}.`;
}
