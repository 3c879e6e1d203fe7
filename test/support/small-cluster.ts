/** The values of a datastore with three nodes and the given pools, and nothing assigned. */

/** `pools`: block size by CIDR. */
export function smallCluster(pools: Readonly<Record<string, number>>): ReadonlyMap<string, string> {
  return new Map([
    resource('clusterinformations', 'default', { datastoreReady: true }),
    ...['node1', 'node2', 'node3', 'node4'].map((name) => resource('nodes', name, {})),
    ...Object.entries(pools).map(([cidr, blockSize], index) =>
      resource('ippools', `pool${index}`, { cidr, blockSize }),
    ),
  ]);
}

function resource(plural: string, name: string, spec: object): readonly [key: string, value: string] {
  return [
    `/calico/resources/v3/projectcalico.org/${plural}/${name}`,
    JSON.stringify({ metadata: { name }, spec }),
  ];
}
