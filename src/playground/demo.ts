import { createApp } from '../http/app.ts';
import { startServer } from '../http/server.ts';
import { undiciTransport } from '../flink/transport.ts';
import { silentLog } from '../telemetry/log.ts';
import { httpHook } from '../sim/hook.ts';
import type { FlinkEvent } from '../sim/models/flink/events.ts';
import { scaledClock } from '../sim/scaled-clock.ts';
import { createWorld, type World } from '../sim/world.ts';
import { serveFlink, type FlinkServer } from './flink-server.ts';
import { readJobFile, sampleJob } from './job-file.ts';
import { createStory, type Story } from './story.ts';
import { tellJob } from './timeline.ts';

/**
 * `npm run demo [-- job.yaml]`: a job's whole life in ten seconds, on modelled Kubernetes and Flink; the hook is the real one,
 * served and called over HTTP, and so is Flink. Time runs seven times as fast. Exit 0 only if every step was as promised.
 */
const SPEED = 7;

const given = process.argv[2];
const file = given === undefined ? { kind: 'job' as const, job: sampleJob(), remarks: [] } : readJobFile(given);
if (file.kind === 'refused') {
  for (const line of file.lines) console.error(line);
  process.exit(1);
}
const clock = scaledClock(Date.now(), SPEED);
const origin = clock.now();
const say = (mark: string, line: string): void => {
  const seconds = ((clock.now() - origin) / 1000).toFixed(1).padStart(5);
  console.log(`${seconds}s ${mark} ${line}`);
};

console.log(`Flork's hook over HTTP on a modelled cluster; one second here is ${SPEED} seconds there.\n`);
for (const remark of file.remarks) console.log(`  note: ${remark}`);
const events: FlinkEvent[] = [];
const world = createWorld({ clock, seed: 42, onFlink: (event) => events.push(event) });
const flink = await serveFlink(world, `${file.job.metadata.name}-rest`);
const transport = undiciTransport({ resolve: flink.resolve });
const app = createApp({ transport, now: clock.now, log: silentLog });
const server = await startServer({ app, port: 0, tls: undefined, log: silentLog });
const metacontroller = world.metacontroller(httpHook(`http://127.0.0.1:${server.port}`));
tellJob(world, file.job.metadata.name, say);

const kept = await live(createStory({ world, clock, job: file.job, events, say }), world, flink);

metacontroller.stop();
flink.close();
console.log(kept ? '\nEvery step was as promised.' : '\nNot every step was as promised.');
process.exit(kept ? 0 : 1);

/** The life, step by step; false at the first step that did not come out. */
async function live(story: Story, { storage }: World, server: FlinkServer): Promise<boolean> {
  try {
    await story.apply();
    await story.reach('runs, all tasks', story.isRunning, 40);
    await story.reach('has a checkpoint recorded', story.hasRecorded, 60);

    story.announce('the spec changes; the answer to the request for the savepoint is lost on its way');
    server.loseNextAnswer();
    story.edit('pipeline.max-parallelism', '64');
    await story.reach('upgraded', () => story.epoch() === 2 && story.isRunning(), 60);
    story.promise('the answer was lost once', server.lostAnswers() === 1);
    story.promise(
      'exactly one savepoint was taken',
      storage.all().filter(({ kind }) => kind === 'savepoint').length === 1,
    );
    const savepoint = story.newestSavepoint();
    story.promise('its count went on where the savepoint left it', story.wentOnFromSavepoint());

    await story.reach('a checkpoint of the new epoch is recorded', story.hasRecorded, 60);
    story.announce('kill -9 of the JobManager');
    const before = story.count();
    story.kill();
    await story.reach('runs again', () => story.isRunning() && story.restored(), 60);
    const from = story.restoredCount();
    story.promise(
      `its count had reached ${before}; it went on from the recorded ${from}, whence its source repeats`,
      from > savepoint && from <= before,
    );

    story.announce('suspend');
    story.setState('suspended');
    await story.reach('suspended, no pod is left', story.isSuspended, 40);
    const suspendedAt = story.newestSavepoint();
    story.announce('resume');
    story.setState('running');
    await story.reach('runs again', () => story.isRunning() && story.epoch() === 3, 60);
    story.promise(`its count went on from ${suspendedAt}`, story.restoredCount() === suspendedAt);

    story.announce('delete');
    story.remove();
    await story.reach('gone, and nothing of it is left', story.isGone, 40);
    return true;
  } catch (error) {
    say('✗', error instanceof Error ? error.message : String(error));
    return false;
  }
}
