/** How to reach etcd. Pure types. */

export interface EtcdSettings {
  /** Absolute URLs, `http://host:port` or `https://host:port`; all of one scheme. */
  readonly endpoints: readonly string[];
  /** PEM file paths; certificate and key come together. */
  readonly caCertFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly user: { readonly name: string; readonly password: string } | undefined;
}
