/** Where two texts begin to differ, with what stands around. */
export function difference(first: string, second: string): string {
  let index = 0;
  while (index < first.length && first[index] === second[index]) index++;
  const from = Math.max(0, index - 60);
  return `…${first.slice(from, index + 80)}… and …${second.slice(from, index + 80)}…`;
}
