/** The program's source of chance, as a port: tests bring their own. */
export interface Random {
  bytes(count: number): Uint8Array;
  /** A version 4 UUID. */
  uuid(): string;
  /** A number in [0, 1). */
  fraction(): number;
}
