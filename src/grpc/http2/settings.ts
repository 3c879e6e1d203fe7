/** What each end of an HTTP/2 connection lets the other do (RFC 9113 §6.5). Pure. */

import { DEFAULT_MAX_PAYLOAD } from './frame.ts';

/** What we have to keep to when we send. */
export interface PeerSettings {
  /** Bytes of body that a new stream may carry before the other end asks for more. */
  readonly initialWindow: number;
  readonly maxPayload: number;
}

/** Until the other end says otherwise; also the window of a connection, which no setting changes. */
export const DEFAULT_WINDOW = 65_535;
export const DEFAULT_PEER: PeerSettings = { initialWindow: DEFAULT_WINDOW, maxPayload: DEFAULT_MAX_PAYLOAD };
export const MAX_WINDOW = 0x7fffffff;

const SETTING = { headerTableSize: 1, enablePush: 2, initialWindow: 4, maxPayload: 5 } as const;
const ENTRY_BYTES = 6;

/** Ours: no numbered header fields, nothing unasked for, and no stream has to wait for us. */
export function ownSettings(): Buffer {
  const entries = [
    [SETTING.headerTableSize, 0],
    [SETTING.enablePush, 0],
    [SETTING.initialWindow, MAX_WINDOW],
  ] as const;
  const payload = Buffer.allocUnsafe(entries.length * ENTRY_BYTES);
  for (const [index, [setting, value]] of entries.entries()) {
    payload.writeUInt16BE(setting, index * ENTRY_BYTES);
    payload.writeUInt32BE(value, index * ENTRY_BYTES + 2);
  }
  return payload;
}

/** The settings with what a SETTINGS frame changes. Throws a `RangeError` on a frame that breaks the rules. */
export function withSettings(settings: PeerSettings, payload: Buffer): PeerSettings {
  if (payload.length % ENTRY_BYTES !== 0) throw new RangeError('settings of a wrong length');
  let { initialWindow, maxPayload } = settings;
  for (let at = 0; at < payload.length; at += ENTRY_BYTES) {
    const value = payload.readUInt32BE(at + 2);
    switch (payload.readUInt16BE(at)) {
      case SETTING.initialWindow:
        initialWindow = value;
        break;
      case SETTING.maxPayload:
        maxPayload = value;
    }
  }
  if (initialWindow > MAX_WINDOW) throw new RangeError(`a window of ${initialWindow} bytes is not allowed`);
  if (maxPayload < DEFAULT_MAX_PAYLOAD) throw new RangeError(`frames of ${maxPayload} bytes are too short`);
  return { initialWindow, maxPayload };
}
