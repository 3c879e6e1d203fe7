/** A check finds each kind of damage, and a release puts right what can be put right. */

import { describe, expect, it } from 'vitest';
import { formatIpAddress } from '../../../../src/base/ip-address.ts';
import { auditCluster } from '../../../../src/cli/ipam/audit-cluster.ts';
import { doRepair } from '../../../../src/cli/ipam/do-repair.ts';
import { parseReport, reportData } from '../../../../src/cli/ipam/report.ts';
import { formatStructured } from '../../../../src/cli/ipam/structured.ts';
import { CLUSTER_RANGES, clusterRecord } from '../../../../src/datastore/cluster-records.ts';
import { addressOf } from '../../../../src/ipam/allocation-block.ts';
import type { Finding } from '../../../../src/ipam/audit/damage.ts';
import { attributeOf } from '../../../../src/ipam/block/attribute.ts';
import { CALICO_STEPS, calicoState } from '../../../support/calico-states.ts';
import { endlessDeadline, instantClock } from '../../../support/cut-line.ts';
import { DAMAGE_CASES, healthyCluster } from '../../../support/damages.ts';
import { datastoreViolations } from '../../../support/datastore-violations.ts';
import { createMemoryStore, type MemoryStore } from '../../../support/memory-store.ts';
import { addRecords, RECORD_TIME_NS } from '../../../support/record-calls.ts';

const NOW_NS = RECORD_TIME_NS + 3_600_000_000_000n;

function reading(store: MemoryStore) {
  return { store, deadline: endlessDeadline(), progress: { add: async () => undefined } };
}

async function check(store: MemoryStore, graceNs = 0n): Promise<readonly Finding[]> {
  return (await auditCluster(reading(store), { nowNs: NOW_NS, graceNs })).findings;
}

/** All that the findings say can be put right, after a way through a file. */
async function release(store: MemoryStore, findings: readonly Finding[]): Promise<readonly string[]> {
  const report = { madeAt: 'now', revision: '1', counts: {}, findings };
  const again = parseReport(formatStructured(reportData(report), 'json'), 'the report');
  const repairs = again.findings.flatMap(({ repair }) => repair ?? []);
  expect(repairs).toEqual(findings.flatMap(({ repair }) => repair ?? []));
  const texts: string[] = [];
  for (const repair of repairs) {
    const { text } = await doRepair(repair, {
      store,
      deadline: endlessDeadline(),
      clock: instantClock(NOW_NS),
      random: () => 0,
      isDryRun: false,
      warn: () => undefined,
    });
    texts.push(text);
  }
  return texts;
}

describe('calico ipam check', () => {
  it('finds nothing in a healthy cluster', async () => {
    expect(await check(createMemoryStore(await healthyCluster()))).toEqual([]);
  });

  it.each(CALICO_STEPS)('finds nothing in what Calico itself left (step %s)', async (step) => {
    expect(await check(createMemoryStore(calicoState(step).values))).toEqual([]);
  });

  it.each(DAMAGE_CASES)('finds $damage: $what', async ({ damage, inflict }) => {
    const values = await healthyCluster();
    const before = new Set(values.keys());
    inflict(values);
    const findings = await check(createMemoryStore(values));
    expect(findings.map((finding) => finding.damage)).toContain(damage);
    const found = findings.find((finding) => finding.damage === damage);
    expect(values.has(found?.key ?? '') || before.has(found?.key ?? '')).toBe(true);
    expect(found?.text).toMatch(/\S/);
  });

  it('knows of more than fifteen kinds', () => {
    expect(new Set(DAMAGE_CASES.map(({ damage }) => damage)).size).toBeGreaterThan(20);
  });

  it('finds what the checker of the tests finds', async () => {
    for (const { damage, what, inflict } of DAMAGE_CASES) {
      const values = await healthyCluster();
      inflict(values);
      if (damage === 'unreadable-record') continue;
      const violations = datastoreViolations(values, { network: 'net1', live: await liveAddresses() });
      if (violations.length === 0) continue;
      const findings = await check(createMemoryStore(values));
      expect(findings.length, `${what}: ${violations.join('; ')}`).toBeGreaterThan(0);
    }
  });

  it('leaves out an address whose ADD may be running', async () => {
    const values = await healthyCluster();
    DAMAGE_CASES.find(({ damage }) => damage === 'leaked-address')?.inflict(values);
    const store = createMemoryStore(values);
    expect(await check(store, NOW_NS - RECORD_TIME_NS + 1_000_000_000n)).toEqual([]);
    expect(await check(store, NOW_NS - RECORD_TIME_NS - 1_000_000_000n)).toHaveLength(1);
  });

  it('offers no release of addresses of a network that has no endpoint at all', async () => {
    const values = await healthyCluster();
    for (const key of values.keys()) if (key.includes('/workloadendpoints/')) values.delete(key);
    const findings = await check(createMemoryStore(values));
    expect(findings.map(({ damage }) => damage)).toEqual(Array(4).fill('leaked-address'));
    expect(findings.every(({ repair }) => repair === undefined)).toBe(true);
  });
});

describe('calico ipam release --from-report', () => {
  const repairable = DAMAGE_CASES.filter(({ isRepairable }) => isRepairable);

  it.each(repairable)('puts $damage right: $what', async ({ inflict }) => {
    const values = await healthyCluster();
    inflict(values);
    const store = createMemoryStore(values);
    await release(store, await check(store));
    expect(await check(store)).toEqual([]);
  });

  it.each(DAMAGE_CASES.filter(({ isRepairable }) => !isRepairable))(
    'leaves $damage to a person: $what',
    async ({ inflict }) => {
      const values = await healthyCluster();
      inflict(values);
      const store = createMemoryStore(values);
      const before = new Map(store.values());
      await release(store, await check(store));
      expect(store.values()).toEqual(before);
    },
  );

  it.each(DAMAGE_CASES)('takes no address of an endpoint ($damage: $what)', async ({ inflict }) => {
    const values = await healthyCluster();
    inflict(values);
    const store = createMemoryStore(values);
    const before = holdersOfEndpoints(store);
    await release(store, await check(store));
    expect(holdersOfEndpoints(store)).toEqual(before);
  });

  it('leaves everything that has changed since as it is', async () => {
    for (const { what, inflict } of repairable) {
      const values = await healthyCluster();
      inflict(values);
      const store = createMemoryStore(values);
      const findings = await check(store);
      for (const [key, value] of await healthyCluster()) store.put(key, value);
      const healed = await check(store);
      await release(store, findings);
      expect((await check(store)).length, what).toBeLessThanOrEqual(healed.length);
    }
  });
});

/** Addresses by container, as the healthy cluster gives them. */
async function liveAddresses(): Promise<ReadonlyMap<string, readonly string[]>> {
  const live = new Map<string, readonly string[]>();
  for (const [key, value] of await healthyCluster()) {
    if (!key.includes('/workloadendpoints/')) continue;
    const { containerID, ipNetworks } = JSON.parse(value).spec;
    live.set(
      containerID,
      ipNetworks.map((network: string) => network.replace(/\/\d+$/, '')),
    );
  }
  return live;
}

/** Who holds the addresses that endpoints have. */
function holdersOfEndpoints(store: MemoryStore): ReadonlyMap<string, string | undefined> {
  const holders = new Map<string, string | undefined>();
  const addresses = new Set<string>();
  for (const { prefix } of [...CLUSTER_RANGES.endpoint, ...CLUSTER_RANGES.block]) {
    for (const [key, value] of store.values()) {
      if (!key.startsWith(prefix)) continue;
      const record = clusterRecord(prefix, { key, value, revision: '1' });
      if (record?.record === 'endpoint')
        for (const { address } of record.endpoint.ipNetworks) addresses.add(formatIpAddress(address));
      if (record?.record === 'block')
        for (const ordinal of record.block.allocations.keys())
          holders.set(
            formatIpAddress(addressOf(record.block, ordinal)),
            attributeOf(record.block, ordinal)?.handleId,
          );
    }
  }
  return new Map([...holders].filter(([address]) => addresses.has(address)));
}

describe('a release and a repeated ADD of the same container', () => {
  const again = { containerId: 'c2', nodeName: 'node1' };

  /** c2 has lost its endpoint, so its address looks like a leak; `between` runs once, before the first commit. */
  async function leakOfC2(between: (store: MemoryStore) => Promise<unknown>) {
    const values = await healthyCluster();
    for (const key of values.keys()) if (key.includes('/node1-cni-c2-')) values.delete(key);
    const store = createMemoryStore(values);
    const findings = await check(store);
    let isDone = false;
    const disturbed: MemoryStore = {
      ...store,
      commit: async (...args) => {
        if (!isDone) {
          isDone = true;
          await between(store);
        }
        return store.commit(...args);
      },
    };
    return { store, disturbed, findings };
  }

  it('takes nothing when the ADD is faster', async () => {
    const { store, disturbed, findings } = await leakOfC2(addRecords(again));
    expect(await release(disturbed, findings)).toEqual([
      expect.stringMatching(/ is the address of endpoint default\/node1-cni-c2-eth0$/),
    ]);
    expect(await check(store)).toEqual([]);
  });

  it('has the ADD assign an address again when the release is faster', async () => {
    let released: readonly string[] = [];
    const { store, disturbed, findings } = await leakOfC2(async (now) => {
      released = await release(now, findings);
    });
    await addRecords(again)(disturbed);
    expect(released).toEqual([expect.stringMatching(/^released /)]);
    expect(await check(store)).toEqual([]);
  });
});
