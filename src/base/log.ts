/**
 * Log lines in the shape Calico's operators know: `2026-11-21 10:26:38.709 [INFO][1234] add: text key="value"`.
 * Nothing of the configuration is logged whole, since it may hold credentials.
 */

import { formatGoTime } from './time.ts';

const LEVELS = ['debug', 'info', 'warning', 'error'] as const;
export type LogLevel = (typeof LEVELS)[number];

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly pid: number;
  readonly nowNs: () => bigint;
  /** Receives whole lines. Must not throw: logging never fails a call. */
  readonly write: (line: string) => void;
  /** Fields that every line ends with: container, interface. */
  readonly context: LogFields;
}

export function createLog(options: LogOptions): Log {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(options.level)) return;
      options.write(formatLine(options, level, message, { ...fields, ...options.context }));
    };
  return { debug: at('debug'), info: at('info'), warn: at('warning'), error: at('error') };
}

function formatLine(options: LogOptions, level: LogLevel, message: string, fields: LogFields): string {
  const time = formatGoTime((options.nowNs() / 1_000_000n) * 1_000_000n).replace(' +0000 UTC', '');
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${JSON.stringify(String(value))}`],
  );
  return `${[`${time} [${level.toUpperCase()}][${options.pid}]`, message.replace(/\s+/g, ' '), ...pairs].join(' ')}\n`;
}
