import { expect, it } from 'vitest';
import { felixEnvironment } from '../../../src/node/felix-environment.ts';

it('felixEnvironment() takes what matters here, whatever the case, with its type', () => {
  const env = {
    FELIX_VXLANMTU: '1400',
    FELIX_VxlanEnabled: 'True',
    felix_natportrange: '1000:2000',
    FELIX_MTUIFACEPATTERN: '^ens',
    FELIX_VXLANVNI: '',
    FELIX_PROMETHEUSMETRICSHOST: '0.0.0.0',
    FELIX_HEALTHENABLED: 'false',
    FELIX_LOGSEVERITYSCREEN: 'debug',
    VXLANPORT: '1',
  };
  expect(felixEnvironment(env)).toEqual({
    vxlanMTU: 1400,
    vxlanEnabled: true,
    natPortRange: '1000:2000',
    mtuIfacePattern: '^ens',
    prometheusMetricsHost: '0.0.0.0',
    healthEnabled: false,
  });
});
