import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { request as httpsRequest, Agent } from 'node:https';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { follow } from '../../src/follow.ts';
import { allOf, bearerOf, certified } from '../../src/http/authenticate.ts';
import { startServer } from '../../src/http/server.ts';
import { recorder, request, testApp } from './http/hook-fixture.ts';
import { makeCertificates, type Certificates } from './tls-fixture.ts';
import { scratch } from '../scratch.ts';

/** Puts a file in place of another at once, as the kubelet swaps a mounted Secret. */
function swap(file: string, text: string): void {
  writeFileSync(`${file}.next`, text);
  renameSync(`${file}.next`, file);
}

const body = JSON.stringify(request());

function post(port: number, options: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      { host: '127.0.0.1', port, path: '/sync', method: 'POST', ...options },
      (incoming) => {
        incoming.resume();
        incoming.on('end', () => resolve(incoming.statusCode ?? 0));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Waits for what is seen to; fails after ten seconds. */
async function reached(condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    assert.ok(performance.now() < end, String(condition));
    // oxlint-disable-next-line no-await-in-loop -- waiting is the point
    await sleep(5);
  }
}

/** A server with TLS, client certificates and tokens, whose files a test may swap. */
async function served(certificates: Certificates) {
  const folder = scratch('rotation');
  const files = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key'), token: join(folder, 'tokens') };
  const clientCaFile = join(folder, 'client-ca.crt');
  writeFileSync(clientCaFile, certificates.ca);
  writeFileSync(files.certFile, certificates.server.cert);
  writeFileSync(files.keyFile, certificates.server.key);
  swap(files.token, 'token-0');
  const { log, lines } = recorder();
  let tokens: readonly string[] = [];
  const read = (): string[] => readFileSync(files.token, 'utf8').split('\n');
  const { stop } = follow({ what: 'hook token', read, use: (found) => void (tokens = found) }, log, 10);
  const app = testApp({ authenticate: allOf([certified, bearerOf(() => tokens)]), log });
  const server = await startServer({ app, port: 0, tls: { ...files, clientCaFile }, log, checkMs: 10 });
  return { files, server, lines, stop };
}

const PER_SECOND = 20;

/** What was sent while something went on: when, from its beginning (milliseconds), and what came back; -1: no answer. */
type Load = { readonly sentAt: readonly number[]; readonly statuses: readonly number[] };

/**
 * Sends number n at n/20 s, by the clock and not by pauses, until `work` is over: a send that comes late is followed at once by those
 * that are due, so that slowness of this machine makes the load no smaller. Waits for all answers.
 */
async function underLoad(send: (number: number) => Promise<number>, work: () => Promise<void>): Promise<Load> {
  const start = performance.now();
  const sentAt: number[] = [];
  const calls: Promise<number>[] = [];
  const over = new AbortController();
  const sending = (async () => {
    while (!over.signal.aborted) {
      const due = Math.floor(((performance.now() - start) * PER_SECOND) / 1000) + 1;
      for (let number = calls.length; number < due; number++) {
        sentAt.push(performance.now() - start);
        calls.push(send(number).catch(() => -1));
      }
      // oxlint-disable-next-line no-await-in-loop -- until the next one is due
      await sleep(Math.max(0, start + (calls.length * 1000) / PER_SECOND - performance.now()));
    }
  })();
  try {
    await work();
  } finally {
    over.abort();
    await sending;
  }
  return { sentAt, statuses: await Promise.all(calls) };
}

describe('the hook while its certificate and its token are rotated', () => {
  it('fails no sync: 20 certificates and 5 tokens under 20 syncs a second', async (t) => {
    const all = Array.from({ length: 4 }, () => makeCertificates());
    const [first] = all;
    if (first === undefined) return t.skip('no openssl');
    const { files, server, lines, stop } = await served(first);
    const told = (message: string): number => lines.filter((line) => line.message === message).length;
    // One bundle of all CAs, as a rotation with overlap has it; every fourth connection is a new one.
    const ca = all.map((one) => one?.ca ?? '').join('\n');
    const identity = { ca, cert: first.client.cert, key: first.client.key };
    const kept = new Agent({ ...identity, keepAlive: true });
    let token = 'token-0';
    const sync = (number: number): Promise<number> =>
      post(server.port, {
        ...identity,
        agent: number % 4 === 0 ? false : kept,
        headers: { authorization: `Bearer ${token}` },
      });
    const rotations: number[] = [];
    const start = performance.now();
    const { sentAt, statuses } = await underLoad(sync, async () => {
      for (let turn = 1; turn <= 20; turn++) {
        const next = all[turn % all.length] ?? first;
        rotations.push(performance.now() - start);
        // The key comes first: for a moment it does not fit the certificate, and the pair in use stays.
        swap(files.keyFile, next.server.key);
        swap(files.certFile, next.server.cert);
        if (turn % 4 === 0) {
          swap(files.token, `token-${turn}\n${token}`);
          // oxlint-disable-next-line no-await-in-loop -- the overlap in which both are accepted
          await reached(() => told('hook token renewed') === turn / 4);
          token = `token-${turn}`;
        }
        // oxlint-disable-next-line no-await-in-loop -- one rotation after the other
        await Promise.all([sleep(220), reached(() => told('certificate renewed') >= turn)]);
      }
    });
    stop();
    kept.destroy();
    await server.drain(1000);
    assert.deepEqual([...new Set(statuses)], [200], JSON.stringify(statuses));
    const seconds = (sentAt.at(-1) ?? 0) / 1000;
    assert.ok(seconds > 4, `${seconds} s`);
    assert.ok(sentAt.length >= PER_SECOND * seconds, `${sentAt.length} syncs in ${seconds} s`);
    assert.equal(statuses.length, sentAt.length);
    for (const [index, from] of rotations.entries()) {
      const until = rotations[index + 1] ?? Infinity;
      assert.ok(
        sentAt.some((at) => at >= from && at < until),
        `no sync between rotations ${index + 1} and ${index + 2}`,
      );
    }
    assert.ok(told('certificate renewed') >= 20, `${told('certificate renewed')} certificates were taken up`);
    assert.equal(told('hook token renewed'), 5);
  });

  it('keeps the old certificate when the new one is none, and refuses a stranger', async (t) => {
    const certificates = makeCertificates();
    if (certificates === undefined) return t.skip('no openssl');
    const { files, server, lines, stop } = await served(certificates);
    const { ca, client } = certificates;
    const call = (options: object): Promise<number> =>
      post(server.port, { ca, agent: false, headers: { authorization: 'Bearer token-0' }, ...options });
    swap(files.certFile, 'no certificate');
    await sleep(60);
    assert.equal(await call({ cert: client.cert, key: client.key }), 200);
    const told = lines.filter(({ message }) => message.startsWith('certificate kept'));
    assert.equal(told.length, 1, 'told once, not at every look');
    assert.equal(await call({}), 401, 'without a client certificate');
    assert.equal(await call({ cert: client.cert, key: client.key, headers: {} }), 401, 'without a token');
    const other = makeCertificates();
    assert.equal(await call({ cert: other?.client.cert, key: other?.client.key }), 401, 'with one of another CA');
    stop();
    await server.drain(1000);
  });
});
