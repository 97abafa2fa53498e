import type { Transport } from '../../../src/flink/transport.ts';
import type { Asked } from './checker.ts';

/** Answers as was answered before, by method and path in order. */
export function replay(asked: readonly Asked[]): Transport {
  const left = [...asked];
  return (request) => {
    const index = left.findIndex((one) => one.request.method === request.method && one.request.path === request.path);
    const [found] = index < 0 ? [] : left.splice(index, 1);
    return Promise.resolve(
      found?.response ?? { kind: 'error', error: 'unreachable', text: 'not asked the first time' },
    );
  };
}
