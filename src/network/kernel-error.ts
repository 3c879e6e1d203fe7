/** An error number the kernel returned, from a system call or from a netlink reply. */

import { getSystemErrorMessage, getSystemErrorName } from 'node:util';

export class KernelError extends Error {
  override readonly name = 'KernelError';
  /** Symbolic name: `EEXIST`. */
  readonly code: string;

  /**
   * @param operation what was asked: `setns`, `RTM_NEWLINK`
   * @param errno positive error number
   * @param explanation the kernel's own sentence about it, from a netlink extended acknowledgement
   */
  constructor(operation: string, errno: number, explanation?: string) {
    const code = getSystemErrorName(-errno);
    const said = explanation === undefined ? '' : `; the kernel says: ${explanation}`;
    super(`${operation}: ${code}: ${getSystemErrorMessage(-errno)}${said}`);
    this.code = code;
  }
}

/** Whether the value is a {@link KernelError}, optionally with one of the codes. */
export function isKernelError(value: unknown, ...codes: readonly string[]): value is KernelError {
  return value instanceof KernelError && (codes.length === 0 || codes.includes(value.code));
}
