/** The Kubernetes API as a call uses it: reached when it is needed for the first time, closed with the call. */

import { connectionSources } from '../config/connection-sources.ts';
import { environmentDefaults } from '../config/environment-defaults.ts';
import type { KubernetesApi } from '../kubernetes/api.ts';
import { openKubernetesApi } from '../kubernetes/api-client.ts';
import { readConnectionSettings } from '../kubernetes/connection-settings.ts';
import type { Job } from './job.ts';

export interface CallApi extends Disposable {
  /** Begins to connect at the first call. Rejects with `config` when kubeconfig or certificates cannot be used. */
  open(): Promise<KubernetesApi>;
}

export function apiOf({ conf, world, phases }: Pick<Job, 'conf' | 'world' | 'phases'>): CallApi {
  let opening: Promise<KubernetesApi> | undefined;
  const connect = async () => {
    const sources = connectionSources(conf.kubernetes, environmentDefaults(world.env));
    const configured = phases.start('kubeconfig');
    const settings = await readConnectionSettings(sources, world.clock);
    configured();
    const connected = phases.start('connect to Kubernetes');
    const api = openKubernetesApi(settings, world.clock);
    connected();
    return api;
  };
  return {
    open: () => {
      opening ??= connect();
      return opening;
    },
    [Symbol.dispose]: () =>
      void opening?.then(
        (api) => api.close(),
        () => undefined,
      ),
  };
}
