/** The one place in the core that knows calendars: it parses and prints time stamps, and reads no clock. */

/** Epoch milliseconds as RFC 3339 in UTC with second precision, as Kubernetes prints times. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** RFC 3339 to epoch milliseconds; `undefined` when absent or not a time. */
export function parseTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
