/** How a packet is marked for other networks (RFC 2474): by number, or by the name of a class. Pure. */

const CLASSES: readonly string[] = [
  ...['DF', 'EF'],
  ...['AF11', 'AF12', 'AF13', 'AF21', 'AF22', 'AF23', 'AF31', 'AF32', 'AF33', 'AF41', 'AF42', 'AF43'],
  ...['CS0', 'CS1', 'CS2', 'CS3', 'CS4', 'CS5', 'CS6'],
];

const LARGEST = 63;

/** A number up to 63, or the name of a class in capitals; `undefined` when the text is neither. */
export function parseDscp(text: string): number | string | undefined {
  if (/^\d{1,3}$/.test(text)) return Number(text) <= LARGEST ? Number(text) : undefined;
  const name = text.trim().toUpperCase();
  return CLASSES.includes(name) ? name : undefined;
}
