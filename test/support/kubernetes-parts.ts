/** Whether the real parts of Kubernetes can be tested here. */

import { findTool, whyNotRoot } from './tools.ts';

const PARTS = ['kubelet', 'kube-apiserver', 'containerd', 'ctr', 'runc', 'busybox', 'iptables'];

/** Why tests with them cannot run; `undefined` when they can. They change more than a test could put back. */
export function whyNoKubernetes(): string | undefined {
  if (whyNotRoot() !== undefined) return whyNotRoot();
  if (process.env.ISOLATED === undefined)
    return 'containerd and kubelet need a network and mounts of their own: run them with build/isolated.sh';
  const missing = PARTS.filter((part) => findTool(part) === undefined);
  if (missing.length === 0) return undefined;
  return `${missing.join(', ')} missing: build/install-kubernetes.sh installs them, or says why it cannot`;
}
