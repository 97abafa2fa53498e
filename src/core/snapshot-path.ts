/** A path as it can be compared: Flink prints `file:/x` for `file:///x`, and with or without a slash at its end. */
export function comparable(path: string): string {
  return path
    .replace(/^([a-z][a-z0-9+.-]*):\/+/i, '$1:/')
    .replace(/^file:\//, '/')
    .replace(/\/+$/, '');
}

/** Whether two spellings name one path. */
export function isSamePath(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && comparable(one) === comparable(other);
}
