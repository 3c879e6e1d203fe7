/**
 * An esbuild plugin: `etcd3` reads its protocol (`rpc.proto`) from a path beside its own file when it is loaded,
 * and inside an executable there is no such path. The protocol is parsed here, at build time, and the call that
 * reads it becomes one that builds the same definitions from JSON.
 */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { OnLoadResult, Plugin } from 'esbuild';
import protobuf from 'protobufjs';

/** The call in `etcd3/lib/connection-pool.js`, up to its options, which stay. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a template literal in the library
const READS_FROM_DISK = '(0, proto_loader_1.loadSync)(`${__dirname}/../proto/rpc.proto`,';
/** What the options must go on saying: the descriptor below is parsed the same way. */
const KEEPS_CASE = /loadSync\)\([^;]*\bkeepCase: true\b/;

/** Embeds etcd's protocol. The build fails when `etcd3` no longer reads it in the way known here. */
export function embedEtcdProtocol(): Plugin {
  return {
    name: 'embed-etcd-protocol',
    setup(build) {
      let embedded = false;
      build.onLoad({ filter: /[\\/]etcd3[\\/]lib[\\/]connection-pool\.js$/ }, ({ path }) => {
        embedded = true;
        return embed(path, readFileSync(path, 'utf8'));
      });
      build.onEnd(({ metafile }) => {
        const usesEtcd3 = Object.keys(metafile?.inputs ?? {}).some((path) =>
          /node_modules\/etcd3\//.test(path),
        );
        if (!usesEtcd3 || embedded) return undefined;
        return { errors: [{ text: `etcd3 has no lib/connection-pool.js any more: ${adapt}` }] };
      });
    },
  };
}

const adapt = 'adapt build/embed-etcd-protocol.ts to how this version of etcd3 finds its rpc.proto';

function embed(path: string, source: string): OnLoadResult {
  if (source.split(READS_FROM_DISK).length !== 2 || !KEEPS_CASE.test(source)) {
    return {
      errors: [{ text: `${path} does not read rpc.proto as expected: ${adapt}`, detail: READS_FROM_DISK }],
    };
  }
  const descriptor = JSON.stringify(parseProtocol(join(dirname(path), '../proto/rpc.proto')));
  const call = `(0, proto_loader_1.fromJSON)(JSON.parse(${JSON.stringify(descriptor)}),`;
  return { contents: source.replace(READS_FROM_DISK, () => call), loader: 'js' };
}

function parseProtocol(path: string): protobuf.INamespace {
  return new protobuf.Root().loadSync(path, { keepCase: true }).toJSON();
}
