import { STATE } from '../flink/bare.ts';
import { kubectl, until } from './kube.ts';

/** What the transactional sink of a counting job has committed, number by number. */
export type Output = {
  /** Reads what is new, until no number is missing below the newest one, at least up to `upTo`. */
  readonly judge: (upTo: number, seconds: number) => Promise<Judgement>;
};

export type Judgement = {
  /** The newest committed number; all below it are committed. */
  readonly newest: number;
  /** Numbers that are committed more often than when it was judged last. */
  readonly repeated: number;
  readonly from: number | undefined;
};

/** Folder of a job's committed output, as its containers see it. */
export const outputFolder = (namespace: string, name: string): string => `${STATE}/${namespace}/output/${name}`;

/** Reads by the pod `killer` of the namespace, which sees the state folder. */
export function outputOf(namespace: string, name: string): Output {
  const folder = outputFolder(namespace, name);
  const seen = new Set<string>();
  const times: number[] = [];
  let judgedRepeats = 0;
  const shell = (command: string, input?: string): Promise<string> =>
    kubectl(
      ['-n', namespace, 'exec', ...(input === undefined ? [] : ['-i']), 'killer', '--', 'bash', '-c', command],
      input,
    );
  const read = async (): Promise<number[]> => {
    // A file whose name begins with a dot is not committed.
    const names = (await shell(`cd ${folder} 2>/dev/null && find . -maxdepth 1 -type f -name 'part-*'; true`)).split(
      '\n',
    );
    const fresh = names.filter((file) => file !== '' && !seen.has(file));
    if (fresh.length === 0) return [];
    const lines = await shell(`cd ${folder} && xargs cat`, fresh.join('\n'));
    for (const file of fresh) seen.add(file);
    const again: number[] = [];
    for (const line of lines.split('\n')) {
      if (line === '') continue;
      const number = Number(line);
      times[number] = (times[number] ?? 0) + 1;
      if (times[number]! > 1) again.push(number);
    }
    return again;
  };
  let repeats = 0;
  let from: number | undefined;
  return {
    judge: async (upTo, seconds) => {
      let missing = -1;
      await until(
        `all numbers up to ${upTo} are committed`,
        seconds,
        async () => {
          const again = await read();
          repeats += again.length;
          for (const number of again) from = Math.min(from ?? number, number);
          missing = times.findIndex((count) => count === undefined);
          return missing < 0 && times.length > upTo ? true : undefined;
        },
        async () =>
          `OUTPUT LOST: number ${missing < 0 ? times.length : missing} is missing, newest ${times.length - 1}`,
      );
      const judgement = { newest: times.length - 1, repeated: repeats - judgedRepeats, from };
      judgedRepeats = repeats;
      from = undefined;
      return judgement;
    },
  };
}
