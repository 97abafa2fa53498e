import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expirations, type Expirations } from '../certificates.ts';

/** What is counted; fed from answers, never from the core. */
export type Metrics = {
  readonly answered: (route: string, rule: string, code: number, seconds: number) => void;
  readonly flinkCall: (result: string) => void;
  readonly inFlight: (count: number) => void;
  readonly decorated: (decorator: string, seconds: number) => void;
  readonly contentType: string;
  readonly text: () => Promise<string>;
};

/** Prometheus metrics in a registry of their own. */
export function createMetrics(certificates: Expirations = expirations): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const syncs = new Counter({
    name: 'flork_hook_answers_total',
    help: 'Answers by hook, rule that answered and HTTP status',
    labelNames: ['hook', 'rule', 'code'],
    registers,
  });
  const duration = new Histogram({
    name: 'flork_hook_duration_seconds',
    help: 'Time from the request to its answer, calls to Flink included',
    labelNames: ['hook'],
    buckets: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 3, 6, 10],
    registers,
  });
  const calls = new Counter({
    name: 'flork_flink_calls_total',
    help: 'Calls to JobManagers by result: HTTP status class or kind of failure',
    labelNames: ['result'],
    registers,
  });
  const decorators = new Histogram({
    name: 'flork_decorator_duration_seconds',
    help: 'Time of one call of a decorator; it is called some times for each epoch that is rendered',
    labelNames: ['decorator'],
    buckets: [0.0001, 0.001, 0.01, 0.1, 1],
    registers,
  });
  const inFlight = new Gauge({ name: 'flork_in_flight_requests', help: 'Hook requests being answered now', registers });
  registry.registerMetric(expirationsOf(certificates));
  return {
    answered: (hook, rule, code, seconds) => {
      syncs.inc({ hook, rule, code });
      duration.observe({ hook }, seconds);
    },
    flinkCall: (result) => calls.inc({ result }),
    inFlight: (count) => inFlight.set(count),
    decorated: (decorator, seconds) => decorators.observe({ decorator }, seconds),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

/** Asked at each scrape: a file that is no longer in use has no value. */
function expirationsOf(certificates: Expirations): Gauge {
  return new Gauge({
    name: 'flork_certificate_expiration_timestamp_seconds',
    help: 'Unix time at which the first certificate of a file runs out, by the variable that names the file',
    labelNames: ['variable'],
    registers: [],
    collect() {
      this.reset();
      for (const [variable, notAfter] of certificates) this.set({ variable }, notAfter);
    },
  });
}

/** Counts nothing: for an app that is mounted elsewhere and gave no metrics. */
export const noMetrics: Metrics = {
  answered: () => {},
  flinkCall: () => {},
  inFlight: () => {},
  decorated: () => {},
  contentType: 'text/plain; charset=utf-8',
  text: async () => '',
};
