/** Quantities as Kubernetes writes them: `10M`, `1Gi`, `1e3`, `100m` (apimachinery's resource.Quantity). Pure. */

/** Kubernetes itself keeps no larger one. */
const LARGEST = 2n ** 63n - 1n;
/** Longer texts are refused: no number needs them. */
const MAX_LENGTH = 64;
/** With so few digits, a larger exponent changes nothing. */
const MAX_EXPONENT = 100;

const FORM = /^([+-]?)(\d*)(?:\.(\d*))?(|[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)$/;
const DECIMAL = 'num kMGTPE';
const BINARY = ' KMGTPE';

/**
 * The whole number, rounded away from zero, at most 2^63 − 1 in either direction; `undefined` when the text is no
 * quantity.
 */
export function parseQuantity(text: string): bigint | undefined {
  const [, sign, whole = '', fraction = '', suffix = ''] =
    (text.length <= MAX_LENGTH && FORM.exec(text)) || [];
  if (whole + fraction === '') return undefined;
  const [factor, exponent] = scaleOf(suffix);
  const magnitude = scaled(BigInt(whole + fraction) * factor, exponent - fraction.length);
  const bounded = magnitude > LARGEST ? LARGEST : magnitude;
  return sign === '-' ? -bounded : bounded;
}

/** A factor, and a power of ten. */
function scaleOf(suffix: string): readonly [factor: bigint, exponent: number] {
  if (suffix === '') return [1n, 0];
  if (suffix.endsWith('i')) return [1024n ** BigInt(BINARY.indexOf(suffix.charAt(0))), 0];
  if (suffix.length === 1) return [1n, 3 * (DECIMAL.indexOf(suffix) - DECIMAL.indexOf(' '))];
  return [1n, Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, Number(suffix.slice(1))))];
}

/** `value` times ten to the power of `exponent`, rounded up. */
function scaled(value: bigint, exponent: number): bigint {
  if (exponent >= 0) return value * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(-exponent);
  return (value + divisor - 1n) / divisor;
}
