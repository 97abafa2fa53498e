import { configureSync, getJsonLinesFormatter, getLogger, type LogRecord } from '@logtape/logtape';

/** Fields of a log line: names and numbers, never contents of a spec. */
export type LogFields = { readonly [field: string]: string | number | boolean | undefined };

/** Where Flork writes what it did. */
export type Log = {
  readonly debug: (message: string, fields?: LogFields) => void;
  readonly info: (message: string, fields?: LogFields) => void;
  readonly warn: (message: string, fields?: LogFields) => void;
  readonly error: (message: string, fields?: LogFields) => void;
};

export const LOG_LEVELS = ['debug', 'info', 'warning', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const nothing = (): void => {};

/** Writes nothing: for an app that is mounted elsewhere and gave no log. */
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** JSON lines, one per event. Configures the process's logger: called once, by main. */
export function createLog(level: LogLevel, write: (line: string) => void): Log {
  const format = getJsonLinesFormatter({ properties: 'flatten' });
  configureSync({
    reset: true,
    sinks: { lines: (record: LogRecord) => write(format(record)) },
    loggers: [
      { category: ['flork'], lowestLevel: level, sinks: ['lines'] },
      { category: ['logtape', 'meta'], lowestLevel: 'error', sinks: ['lines'] },
    ],
  });
  const logger = getLogger(['flork']);
  return {
    debug: (message, fields = {}) => logger.debug(message, fields),
    info: (message, fields = {}) => logger.info(message, fields),
    warn: (message, fields = {}) => logger.warn(message, fields),
    error: (message, fields = {}) => logger.error(message, fields),
  };
}

/** What may be logged of a thrown error: its class, the places, and the message unless a parser may have put contents into it. */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error };
  const places = (error.stack ?? '')
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, 8);
  const message = error instanceof SyntaxError ? '' : error.message.slice(0, 200);
  return { error: error.name, detail: message, stack: places.map((line) => line.trim()).join(' | ') };
}
