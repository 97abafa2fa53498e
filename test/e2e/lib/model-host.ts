import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Strategy } from './install.ts';
import { ROOT } from './kit.ts';
import { Cluster, sleep } from './kube.ts';

/** Where the process id of the model of Metacontroller stands while one runs. */
const PID = join(ROOT, '.cache/e2e/model-host.pid');

/** Runs the model of Metacontroller, and another one a second after it was killed, as Kubernetes would; ends it. */
export async function startModelHost(strategy: Strategy): Promise<() => Promise<void>> {
  const cluster = await Cluster.connect();
  await mkdir(dirname(PID), { recursive: true });
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      child = spawn(process.execPath, [join(ROOT, 'test/e2e/model-host.ts'), strategy, cluster.address], {
        stdio: 'inherit',
      });
      await writeFile(PID, String(child.pid));
      await once(child, 'exit');
      await sleep(1000);
    }
  };
  void run();
  return async () => {
    stopping.abort();
    child?.kill();
    await rm(PID, { force: true });
    await cluster[Symbol.asyncDispose]();
  };
}

/** Kills the model of Metacontroller as a crash would; how many processes that were. */
export async function killModelHost(): Promise<number> {
  const pid = Number(await readFile(PID, 'utf8').catch(() => ''));
  if (!(pid > 0)) return 0;
  process.kill(pid, 'SIGKILL');
  return 1;
}
