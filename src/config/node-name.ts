/** The name of this node, by Calico's precedence. */

import { existsSync, readFileSync } from 'node:fs';
import { hostname as readOsHostname } from 'node:os';
import { CalicoError } from '../base/calico-error.ts';
import type { NodeConf } from './calico-conf.ts';

/** Where calico/node writes what it calls this node. */
export const NODENAME_FILE = '/var/lib/calico/nodename';

export interface NodeNameFacts {
  /** `nodename` of the configuration. */
  readonly nodename: string | undefined;
  /** What the nodename file holds; `undefined` when it cannot be read. */
  readonly fileText: string | undefined;
  /** `hostname` of the configuration. */
  readonly hostname: string | undefined;
  readonly osHostname: string;
}

/**
 * The first that is not empty. The file's text is trimmed: Calico does not, and a newline at its end becomes
 * part of the name of a node that does not exist.
 */
export function chooseNodeName({ nodename, fileText, hostname, osHostname }: NodeNameFacts): string {
  return nodename || fileText?.trim() || hostname || osHostname.trim().toLowerCase();
}

/**
 * Reads the nodename file and chooses. Throws `unavailable` when the file does not exist and must: calico/node
 * writes it once it runs. That is so even when the configuration names the node.
 */
export function readNodeName(conf: NodeConf, osHostname: string = readOsHostname()): string {
  const { nodename, hostname, nodenameFile } = conf;
  if (!conf.nodenameFileOptional && !existsSync(nodenameFile)) {
    throw new CalicoError(
      'unavailable',
      `stat ${nodenameFile}: no such file or directory: check that the calico/node container is running and has mounted /var/lib/calico/`,
    );
  }
  return chooseNodeName({ nodename, fileText: tryReadText(nodenameFile), hostname, osHostname });
}

function tryReadText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
