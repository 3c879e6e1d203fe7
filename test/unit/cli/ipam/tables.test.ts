/** What calicoctl printed for a cluster of one node with one pod, and what we print. */

import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../../src/base/ip-address.ts';
import { borrowedAddresses, borrowedTable } from '../../../../src/cli/ipam/borrowed.ts';
import { configurationTable } from '../../../../src/cli/ipam/configuration.ts';
import { clusterUsage, fiveDigits, placedBlock, usageTable } from '../../../../src/cli/ipam/usage.ts';
import { describeAddress } from '../../../../src/cli/ipam/whose-address.ts';
import { decodeBlock } from '../../../../src/datastore/codecs/block.ts';
import { decodeIpPool } from '../../../../src/datastore/codecs/ip-pool.ts';
import { decodeIpamSettings } from '../../../../src/datastore/codecs/ipam-settings.ts';

const HANDLE = 'k8s-pod-network.ab362be4377b6c37d3829cdda9201cb765771ea17c962aea1c5bd96f62a23cac';

function block(cidr: string, affinity: string, taken: readonly number[], node = 'node1') {
  const size = 2 ** (32 - Number(cidr.split('/')[1]));
  const ordinals = Array.from({ length: size }, (_, ordinal) => ordinal);
  const value = {
    cidr,
    affinity,
    allocations: ordinals.map((ordinal) => (taken.includes(ordinal) ? 0 : null)),
    unallocated: ordinals.filter((ordinal) => !taken.includes(ordinal)),
    attributes: [
      {
        handle_id: HANDLE,
        secondary: {
          timestamp: '2026-11-21 11:41:02.722261916 +0000 UTC',
          pod: 'web-1',
          node,
          namespace: 'default',
        },
      },
    ],
  };
  return decodeBlock(JSON.stringify(value), 'a block');
}

function pool(cidr: string, blockSize = 26) {
  return decodeIpPool(JSON.stringify({ metadata: { name: cidr }, spec: { cidr, blockSize } }), 'a pool');
}

const BLOCK = block('192.168.166.128/26', 'host:node1', [15]);

describe('usageTable()', () => {
  const usage = clusterUsage([pool('192.168.0.0/16')], [], [placedBlock(BLOCK, [])]);

  it('prints pools as calicoctl does', () => {
    expect(usageTable(usage, false)).toBe(`\
+----------+----------------+-----------+------------+--------------+--------------+
| GROUPING | CIDR           | IPS TOTAL | IPS IN USE | IPS RESERVED | IPS FREE     |
+----------+----------------+-----------+------------+--------------+--------------+
| IP Pool  | 192.168.0.0/16 |     65536 |     1 (0%) |       0 (0%) | 65535 (100%) |
+----------+----------------+-----------+------------+--------------+--------------+
`);
  });

  it('prints blocks as calicoctl does', () => {
    expect(usageTable(usage, true)).toBe(`\
+----------+--------------------+-----------+------------+--------------+--------------+
| GROUPING | CIDR               | IPS TOTAL | IPS IN USE | IPS RESERVED | IPS FREE     |
+----------+--------------------+-----------+------------+--------------+--------------+
| IP Pool  | 192.168.0.0/16     |     65536 |     1 (0%) |       0 (0%) | 65535 (100%) |
| Block    | 192.168.166.128/26 |        64 |     1 (2%) |       0 (0%) |     63 (98%) |
+----------+--------------------+-----------+------------+--------------+--------------+
`);
  });

  it('lists blocks of no pool after all pools', () => {
    const orphan = placedBlock(block('10.0.0.0/26', 'host:node1', []), []);
    const rows = usageTable(clusterUsage([pool('192.168.0.0/16')], [], [orphan]), true).split('\n');
    expect(rows[4]).toContain('| Block    | 10.0.0.0/26 ');
  });
});

describe('clusterUsage()', () => {
  it('counts what is reserved and in use as in use alone', () => {
    const reservations = [parseCidr('10.0.0.0/30'), parseCidr('10.0.0.2/32'), parseCidr('10.0.1.0/29')];
    const blocks = [placedBlock(block('10.0.0.0/28', 'host:node1', [0, 1, 9]), reservations)];
    const [only] = clusterUsage([pool('10.0.0.0/16', 28)], reservations, blocks).pools;
    expect(only).toMatchObject({ total: 65_536n, inUse: 3n, reserved: 10n, free: 65_523n });
    expect(only?.blocks[0]).toMatchObject({ total: 16n, inUse: 3n, reserved: 2n, free: 11n });
  });

  it.each([
    [1, 2, '1 (50%)'],
    [1, 8, '1 (12%)'],
    [3, 8, '3 (38%)'],
    [5, 8, '5 (62%)'],
  ])('rounds %i of %i as Go does', (taken, size, shown) => {
    const cidr = `10.0.0.0/${32 - Math.log2(size)}`;
    const ordinals = Array.from({ length: taken }, (_, ordinal) => ordinal);
    const usage = clusterUsage([], [], [placedBlock(block(cidr, 'host:node1', ordinals), [])]);
    expect(usageTable(usage, true)).toContain(` ${shown} |`);
  });
});

describe('fiveDigits()', () => {
  it.each([
    [0n, '0'],
    [99_999n, '99999'],
    [100_000n, '1e+05'],
    [131_072n, '1.3107e+05'],
    [1n << 24n, '1.6777e+07'],
    [1n << 80n, '1.2089e+24'],
    [10n ** 20n, '1e+20'],
  ])('prints %i as %s', (count, text) => {
    expect(fiveDigits(count)).toBe(text);
  });
});

describe('borrowedTable()', () => {
  it('is empty where nothing is borrowed', () => {
    expect(borrowedTable(borrowedAddresses(BLOCK))).toBe(`\
+----+----------------+-------+-------------+------+--------------+
| IP | BORROWING-NODE | BLOCK | BLOCK OWNER | TYPE | ALLOCATED-TO |
+----+----------------+-------+-------------+------+--------------+
+----+----------------+-------+-------------+------+--------------+
`);
  });

  it('names borrower and owner', () => {
    expect(borrowedAddresses(block('10.0.0.0/28', 'host:node2', [3]))).toEqual([
      {
        address: '10.0.0.3',
        borrowingNode: 'node1',
        block: '10.0.0.0/28',
        blockOwner: 'node2',
        type: 'Pod',
        allocatedTo: 'default/web-1',
      },
    ]);
  });
});

describe('configurationTable()', () => {
  it('prints the names of calicoctl, and values where it prints an address of memory', () => {
    expect(configurationTable(decodeIpamSettings(undefined, 'the key'))).toBe(`\
+------------------------------+---------+
| PROPERTY                     | VALUE   |
+------------------------------+---------+
| StrictAffinity               | false   |
| AutoAllocateBlocks           | true    |
| MaxBlocksPerHost             | 0       |
| KubeVirtVMAddressPersistence | Enabled |
| IPCooldownSeconds            | 0       |
+------------------------------+---------+
`);
  });
});

describe('describeAddress()', () => {
  const address = parseIpAddress('192.168.166.143');

  it('prints who has it, as calicoctl does', () => {
    expect(describeAddress(address, { block: BLOCK, ordinal: 15, attribute: BLOCK.attributes[0] })).toBe(`\
IP 192.168.166.143 is in use
Handle ID: ${HANDLE}
Active Owner Attributes:
  namespace: default
  node: node1
  pod: web-1
  timestamp: 2026-11-21 11:41:02.722261916 +0000 UTC
`);
  });

  it('says so when nobody has it', () => {
    expect(describeAddress(address, undefined)).toBe('192.168.166.143 is not assigned\n');
  });
});
