/** How to reach etcd. Pure. */

export interface EtcdSettings {
  /** Absolute URLs, `http://host:port` or `https://host:port`; all of one scheme. */
  readonly endpoints: readonly string[];
  /** PEM file paths; certificate and key come together. */
  readonly caCertFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  /** The same as PEM text, in place of the files. */
  readonly pem?: PemTexts | undefined;
  readonly user: EtcdUser | undefined;
}

export interface PemTexts {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface EtcdUser {
  readonly name: string;
  readonly password: string;
}

/** Large enough to list the blocks of a big cluster, small enough to bound our memory. */
export const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;
