import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { podQos } from '../../../src/kubernetes/pod-qos.ts';
import { QOS_LIMITS } from '../../../src/workload/qos-controls.ts';
import { oddTexts, pod } from '../../support/pods.ts';

const BURST = 4_294_967_296;

/** Annotations named without the prefix `qos.projectcalico.org/`, unless they have another. */
function qosOf(annotations: Readonly<Record<string, string>>) {
  const named = Object.entries(annotations).map(([name, value]) => [
    name.includes('/') ? name : `qos.projectcalico.org/${name}`,
    value,
  ]);
  return podQos(pod({ annotations: Object.fromEntries(named) }));
}

describe('podQos()', () => {
  it('limits nothing without annotations', () => {
    expect(podQos(pod())).toEqual({ qosControls: {}, notes: [] });
  });

  it.each([
    [{ 'kubernetes.io/ingress-bandwidth': '10M' }, { ingressBandwidth: 10_000_000, ingressBurst: BURST }],
    [{ 'kubernetes.io/egress-bandwidth': '1Gi' }, { egressBandwidth: 2 ** 30, egressBurst: BURST }],
    [
      { 'kubernetes.io/ingress-bandwidth': '10M', ingressBandwidth: '1M' },
      { ingressBandwidth: 1_000_000, ingressBurst: BURST },
    ],
    [
      { egressBandwidth: '1M', egressBurst: '2M', egressPeakrate: '3M', egressMinburst: '1500' },
      { egressBandwidth: 1e6, egressBurst: 2e6, egressPeakrate: 3e6, egressMinburst: 1500 },
    ],
    [{ ingressPacketRate: '100' }, { ingressPacketRate: 100, ingressPacketBurst: 5 }],
    [
      { egressPacketRate: '1k', egressPacketBurst: '20' },
      { egressPacketRate: 1000, egressPacketBurst: 20 },
    ],
    [
      { ingressMaxConnections: '10', egressMaxConnections: '1e2' },
      { ingressMaxConnections: 10, egressMaxConnections: 100 },
    ],
    [{ dscp: 'ef' }, { dscp: 'EF' }],
    [{ dscp: ' Af11 ' }, { dscp: 'AF11' }],
    [{ dscp: '46' }, { dscp: 46 }],
    [{ dscp: '063' }, { dscp: 63 }],
    [{ ingressPacketRate: '100m' }, { ingressPacketRate: 1, ingressPacketBurst: 5 }],
  ])('reads %o', (annotations, qosControls) => {
    expect(qosOf(annotations)).toEqual({ qosControls, notes: [] });
  });

  it.each([
    ['Bandwidth', '1k', 1000, '1P', 1e15],
    ['Burst', '1k', 1000, '34359738360', 34_359_738_360],
    ['Peakrate', '1.01k', 1010, '1.01P', 1.01e15],
    ['Minburst', '1k', 1000, '100M', 1e8],
    ['PacketRate', '1', 1, '10k', 1e4],
    ['PacketBurst', '1', 1, '10k', 1e4],
    ['MaxConnections', '1', 1, '4294967295', 2 ** 32 - 1],
  ])('brings %s into its bounds and says so', (kind, leastText, least, mostText, most) => {
    for (const direction of ['ingress', 'egress']) {
      const name = `${direction}${kind}`;
      // With all that the other limits need.
      const base = {
        [`${direction}Bandwidth`]: '1k',
        [`${direction}Peakrate`]: '2k',
        [`${direction}PacketRate`]: '1',
      };
      const few = qosOf({ ...base, [name]: '-1' });
      expect(few.qosControls).toMatchObject({ [name]: least });
      expect(few.notes[0]).toContain(
        `resource specified is too small (less than ${leastText}), setting it to ${leastText} (qos.projectcalico.org/${name} is '-1')`,
      );
      const many = qosOf({ ...base, [name]: '1E' });
      expect(many.qosControls).toMatchObject(kind === 'Bandwidth' ? {} : { [name]: most });
      expect(many.notes[0]).toContain(
        `resource specified is too large (more than ${mostText}), setting it to ${mostText}`,
      );
      for (const bound of [leastText, mostText]) {
        const notes = qosOf({ ...base, [name]: bound }).notes.filter((note) => note.includes('resource'));
        expect(notes).toEqual([]);
      }
    }
  });

  it.each([
    [{ ingressBurst: '1M' }, 'ingress bandwidth must be specified when ingress burst is specified'],
    [{ egressPeakrate: '1M' }, 'egress peakrate must be greater than egress bandwidth when specified'],
    [{ egressMinburst: '1M' }, 'egress peakrate must be specified when egress minburst is specified'],
    [
      { ingressPacketBurst: '7' },
      'ingress packet rate must be specified when ingress packet burst is specified',
    ],
  ])('leaves out %o, which needs another', (annotations, note) => {
    expect(qosOf(annotations)).toEqual({ qosControls: {}, notes: [note] });
  });

  it('leaves out a peak rate that does not exceed the bandwidth, and the burst that needs it', () => {
    const { qosControls, notes } = qosOf({
      ingressBandwidth: '1M',
      ingressPeakrate: '1M',
      ingressMinburst: '1k',
    });
    expect(qosControls).toEqual({ ingressBandwidth: 1e6, ingressBurst: BURST });
    expect(notes).toEqual([
      'ingress peakrate must be greater than ingress bandwidth when specified',
      'ingress peakrate must be specified when ingress minburst is specified',
    ]);
  });

  it.each([
    [
      { ingressBandwidth: 'lots' },
      "it is not a quantity such as 10M, 1Gi or 1e6, and is ignored (qos.projectcalico.org/ingressBandwidth is 'lots')",
    ],
    [
      { ingressBandwidth: '', 'kubernetes.io/ingress-bandwidth': '1M' },
      'error parsing ingress bandwidth annotation',
    ],
    [{ 'kubernetes.io/egress-bandwidth': '1 M' }, "kubernetes.io/egress-bandwidth is '1 M'"],
    [{ dscp: '64' }, 'error parsing DSCP annotation: 64 is not a valid DSCP value'],
    [{ dscp: 'AF44' }, 'AF44 is not a valid DSCP value'],
    [{ dscp: '-1' }, '-1 is not a valid DSCP value'],
    [{ dscp: '' }, ' is not a valid DSCP value'],
  ])('ignores %o, with a note', (annotations, note) => {
    const { qosControls, notes } = qosOf(annotations);
    expect(qosControls).toEqual({});
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain(note);
  });

  it('never fails, stays within its bounds and speaks in short single lines', () => {
    const names = [...QOS_LIMITS, 'dscp'].map((name) => `qos.projectcalico.org/${name}`);
    const keys = fc.constantFrom(
      ...names,
      'kubernetes.io/ingress-bandwidth',
      'kubernetes.io/egress-bandwidth',
    );
    const quantity = fc
      .tuple(fc.nat(), fc.constantFrom('', 'k', 'Mi', 'E', 'e9'))
      .map((parts) => parts.join(''));
    const values = fc.oneof(quantity, fc.string(), oddTexts);
    fc.assert(
      fc.property(fc.dictionary(keys, values), (annotations) => {
        const { qosControls, notes } = podQos(pod({ annotations }));
        const { dscp: _dscp, ...limits } = qosControls;
        expect(Object.values(limits).every((value) => Number.isSafeInteger(value) && value > 0)).toBe(true);
        expect(notes.filter((note) => note.length > 400 || /\p{Cc}/u.test(note))).toEqual([]);
      }),
    );
  });
});
