/** CEL as a ValidatingAdmissionPolicy takes it, for objects whose types are not known beforehand: the pieces that rules are made of. */

/** A text as a CEL literal. */
export const literal = (text: string): string => JSON.stringify(text);
/** Texts as a CEL list. */
export const listOf = (texts: readonly string[]): string => `[${texts.map(literal).join(', ')}]`;
/** Whether a CEL text matches; the pattern has to be one of RE2, which knows no look-around. */
export const matching = (text: string, pattern: RegExp): string => `${text}.matches(${literal(pattern.source)})`;
/** The list below some fields of a map, empty where there is none. */
export const list = (of: string, ...fields: readonly string[]): string => `${of}.?${fields.join('.?')}.orValue([])`;
/** The map below some fields of a map, empty where there is none. */
export const map = (of: string, ...fields: readonly string[]): string => `${of}.?${fields.join('.?')}.orValue({})`;

/** Items of a list with the paths they stand at, as {path, of}; more than 32 are not looked at, by any rule that uses this. */
export function placed(items: string, path: string): string {
  const index = Array.from({ length: 32 }, (_, number) => number).join(', ');
  const item = `{'path': dyn(${literal(`${path}[`)} + string(i) + ']'), 'of': dyn(${items}[i])}`;
  return `[${index}].filter(i, i < ${items}.size()).map(i, ${item})`;
}

/** One list of several lists of texts. Texts hold no line ends. */
export const flattened = (lists: string): string =>
  `${lists}.map(l, l.join('\\n')).join('\\n').split('\\n').filter(t, t != '')`;
