/** Flink's text form of lists (`a;b`) and maps (`k:v,k2:v2`); an item may be quoted. YAML's own forms arrive here as such texts. */

/** `a;b` */
export function listOf(text: string | undefined): readonly string[] {
  return split(text ?? '', ';')
    .map(unquoted)
    .filter((item) => item !== '');
}

/** `k:v,k2:v2` */
export function mapOf(text: string | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    split(text ?? '', ',')
      .map((entry) => split(unquoted(entry), ':'))
      .filter((parts) => parts.length > 1)
      .map(([key = '', ...value]) => [unquoted(key), unquoted(value.join(':'))]),
  );
}

/** `k:v,k2:v2;k:v`: a list of maps. */
export function tableOf(text: string | undefined): readonly Readonly<Record<string, string>>[] {
  return listOf(text).map(mapOf);
}

/** Splits outside of quotes. */
function split(text: string, separator: string): readonly string[] {
  const parts: string[] = [''];
  let quote = '';
  for (const letter of text) {
    if (quote === '' && letter === separator) {
      parts.push('');
    } else {
      if (quote === letter) quote = '';
      else if (quote === '' && (letter === "'" || letter === '"')) quote = letter;
      parts.push(`${parts.pop() ?? ''}${letter}`);
    }
  }
  return parts.map((part) => part.trim());
}

/** Without the quotes around the whole; inside them a doubled quote is one. */
function unquoted(text: string): string {
  const [first = ''] = text;
  if ((first !== "'" && first !== '"') || text.length < 2 || !text.endsWith(first)) return text;
  return text.slice(1, -1).replaceAll(first + first, first);
}
