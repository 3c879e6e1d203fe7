/**
 * The Huffman code of HTTP/2 header texts (RFC 7541 appendix B), decoding. Pure.
 *
 * The code is canonical: within one length, codes count up in the order of the bytes they stand for, and the first
 * code of a length follows the last one of the length before. So the lengths say it all.
 */

/** The length of each byte's code, as a digit in base 36. */
const CODE_LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca' +
  'd67777777777777777777777878djde6f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq';

const LONGEST = 30;

/** All codes of one length. */
interface CodesOfLength {
  readonly first: number;
  /** The bytes they stand for, in the order of the codes. */
  readonly bytes: readonly number[];
}

/** By length; made when the first coded text arrives. */
let codes: readonly CodesOfLength[] | undefined;

/** Throws a `RangeError` on what no encoder may send: a code that stands for nothing, or a wrong end. */
export function decodeHuffman(coded: Uint8Array): Buffer {
  codes ??= canonicalCodes();
  const decoded: number[] = [];
  let code = 0;
  let length = 0;
  for (let bit = 0; bit < coded.length * 8; bit++) {
    code = code * 2 + (((coded[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1);
    length += 1;
    const { first, bytes } = codes[length] ?? NO_CODES;
    const byte = bytes[code - first];
    if (byte !== undefined) {
      decoded.push(byte);
      code = 0;
      length = 0;
    } else if (length === LONGEST) {
      throw new RangeError('a header text is not Huffman coded as it says');
    }
  }
  // The last byte is filled up with ones, the beginning of the one code that stands for no byte.
  if (length > 7 || code !== 2 ** length - 1) throw new RangeError('a coded header text ends in the middle');
  return Buffer.from(decoded);
}

const NO_CODES: CodesOfLength = { first: 0, bytes: [] };

function canonicalCodes(): readonly CodesOfLength[] {
  const bytesOfLength: number[][] = Array.from({ length: LONGEST + 1 }, () => []);
  for (let byte = 0; byte < CODE_LENGTHS.length; byte++) {
    bytesOfLength[Number.parseInt(CODE_LENGTHS.charAt(byte), 36)]?.push(byte);
  }
  let next = 0;
  return bytesOfLength.map((bytes) => {
    const first = next * 2;
    next = first + bytes.length;
    return { first, bytes };
  });
}
