/** Handle IDs as text. Pure. */

/**
 * The ID without what an old migration damaged: everything from the first carriage return on is not part of
 * it. Stored IDs and given ones are compared in this form only.
 */
export function cleanHandleId(handleId: string): string {
  const end = handleId.indexOf('\r');
  return end < 0 ? handleId : handleId.slice(0, end);
}

/** Whether both name the same owner. */
export function isSameHandle(a: string, b: string): boolean {
  return cleanHandleId(a) === cleanHandleId(b);
}

/** Owner of the addresses that Windows nodes set aside in each of their blocks; lower case. */
export const WINDOWS_RESERVED_HANDLE_ID = 'windows-reserved-ipam-handle';
