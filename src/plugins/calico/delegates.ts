/** Other IPAM plugins: how they are run, and what of the configuration is changed for them. */

import type { IpAddress } from '../../base/ip-address.ts';
import { argsWithIp } from '../../cni/args.ts';
import {
  type Delegate,
  delegateAdd,
  delegateCheck,
  delegateDel,
  delegateGc,
  delegateStatus,
  findPlugin,
  isSameExecutable,
} from '../../cni/delegate.ts';
import type { CniResult } from '../../cni/result.ts';
import { withPoolRequest } from '../../config/calico-ipam-conf.ts';
import { ANY_POD_CIDRS, podCidrsOfNode, podCidrWords, withPodCidrs } from '../../config/host-local-conf.ts';
import type { Job } from '../job.ts';
import type { CallApi } from '../kubernetes-api.ts';
import type { KubernetesPod } from '../kubernetes-pod.ts';
import { rollbackDeadline } from '../rollback.ts';

/** `own`: this very executable under its other name. Throws `config` or `delegate` when there is no such plugin. */
export function ipamPlugin({ conf, call }: Job): 'own' | { readonly path: string } {
  const path = findPlugin(conf.ipam.type, call.path);
  return isSameExecutable(path) ? 'own' : { path };
}

/** The plugin with what the pod and its node ask for put into its configuration. */
export async function delegateFor(
  job: Job,
  path: string,
  api: CallApi,
  pod: KubernetesPod | undefined,
): Promise<Delegate> {
  const { call, conf, ids, deadline } = job;
  const words = podCidrWords(call.conf.json);
  if (words.length > 0) {
    const nodeName = conf.kubernetes.nodeName ?? ids.nodeName;
    const { podCidrs } = await (await api.open()).node(nodeName, deadline);
    return delegateOf(job, path, withPodCidrs(call.conf.text, words, podCidrsOfNode(nodeName, podCidrs)));
  }
  const isCalicos = conf.ipam.type === 'calico-ipam' && pod !== undefined;
  return delegateOf(job, path, isCalicos ? withPoolRequest(call.conf, pod.settings) : call.conf.text);
}

/** One address, or each of `addresses` with a call of its own. After a failure the plugin has released them all. */
export async function askDelegate(
  job: Job,
  delegate: Delegate,
  addresses: readonly IpAddress[],
): Promise<CniResult> {
  const ask = (one: Delegate) => delegateAdd(one, job.deadline, () => rollbackDeadline(job.world));
  if (addresses.length === 0) return ask(delegate);
  const results: CniResult[] = [];
  for (const address of addresses) {
    results.push(await ask({ ...delegate, args: argsWithIp(delegate.args, address) }));
  }
  return { interfaces: [], ips: results.flatMap(({ ips }) => ips.slice(0, 1)), routes: [], dns: {} };
}

export async function takeBackFromDelegate(job: Job, delegate: Delegate): Promise<void> {
  await delegateDel(delegate, rollbackDeadline(job.world));
}

/** For a DEL, which asks nobody but the plugin. */
export async function releaseFromDelegate(job: Job, path: string): Promise<void> {
  await delegateDel(delegateOfAnyPod(job, path), job.deadline);
}

/** For a CHECK, which asks nobody else either. */
export async function checkWithDelegate(job: Job, path: string): Promise<void> {
  await delegateCheck(delegateOfAnyPod(job, path), job.deadline);
}

/** For a GC. A plugin that has none has nothing to collect. */
export async function collectByDelegate(job: Job, path: string): Promise<void> {
  await delegateGc(delegateOfAnyPod(job, path), job.deadline);
}

/** For a STATUS. A plugin that has none is ready. */
export async function askDelegateStatus(job: Job, path: string): Promise<void> {
  await delegateStatus(delegateOfAnyPod(job, path), job.deadline);
}

/** What a container holds is found by its ID, whatever ranges the plugin is told. */
function delegateOfAnyPod(job: Job, path: string): Delegate {
  const { json, text } = job.call.conf;
  return delegateOf(job, path, withPodCidrs(text, podCidrWords(json), ANY_POD_CIDRS));
}

function delegateOf({ call, world }: Job, path: string, stdin: string): Delegate {
  return {
    path,
    stdin,
    cniVersion: call.conf.cniVersion,
    env: world.env,
    args: call.args,
    writeStderr: world.writeStderr,
  };
}
