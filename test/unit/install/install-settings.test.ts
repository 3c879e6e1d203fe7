import { describe, expect, it } from 'vitest';
import { installSettings } from '../../../src/install/install-settings.ts';

const IN_CONTAINER = { host: undefined, test: true, hostname: 'Node1.example' };
const settings = (env: Readonly<Record<string, string>>, host?: string) =>
  installSettings(env, { ...IN_CONTAINER, host });

describe('installSettings()', () => {
  it("has the folders and the defaults of Calico's container", () => {
    expect(settings({})).toMatchObject({
      places: {
        binFolders: ['/host/opt/cni/bin', '/host/secondary-bin-dir'],
        netFolder: '/host/etc/cni/net.d',
        netFolderOnHost: '/etc/cni/net.d',
        makesFolders: false,
      },
      confName: '10-calico.conflist',
      oldConfName: undefined,
      confMode: 0o600,
      template: { from: 'default' },
      tlsFolder: '/calico-secrets',
      replacesExecutables: true,
      stays: true,
      kubeconfig: { protocol: 'https', skipsTlsVerify: false, serviceAccount: 'calico-cni-plugin' },
      values: {
        LOG_LEVEL: 'info',
        LOG_FILE_PATH: '/var/log/calico/cni/cni.log',
        LOG_FILE_MAX_SIZE: '100',
        LOG_FILE_MAX_AGE: '30',
        LOG_FILE_MAX_COUNT: '10',
        KUBERNETES_NODE_NAME: 'node1.example',
        CNI_MTU: '1500',
        CALICO_API_GROUP: 'crd.projectcalico.org/v1',
        REQUIRE_MTU_FILE: 'false',
        ETCD_ENDPOINTS: '',
      },
    });
  });

  it('writes into the mounted folder and names the one of the host', () => {
    const { places } = settings({ CNI_NET_DIR: '/etc/k3s/net.d/' });
    expect(places).toMatchObject({ netFolder: '/host/etc/cni/net.d', netFolderOnHost: '/etc/k3s/net.d' });
  });

  it.each([
    ['/', '/opt/cni/bin', '/etc/cni/net.d'],
    ['/mnt/node/', '/mnt/node/opt/cni/bin', '/mnt/node/etc/cni/net.d'],
  ])('on the node itself, below %s, makes folders and does not stay', (host, bin, net) => {
    expect(settings({}, host)).toMatchObject({
      places: { binFolders: [bin], netFolder: net, netFolderOnHost: '/etc/cni/net.d', makesFolders: true },
      stays: false,
    });
    expect(settings({ SLEEP: 'true' }, host).stays).toBe(true);
  });

  it('takes the template from the file before the one in the variable', () => {
    const env = { CNI_NETWORK_CONFIG: '{}', CNI_NETWORK_CONFIG_FILE: '/etc/x' };
    expect(settings(env).template).toEqual({ from: 'file', path: '/etc/x' });
    expect(settings({ CNI_NETWORK_CONFIG: '{}' }).template).toEqual({ from: 'variable', text: '{}' });
  });

  it('knows the configuration that goes', () => {
    expect(settings({ CNI_CONF_NAME: '20-x.conflist' }).oldConfName).toBe('10-calico.conflist');
    expect(settings({ CNI_OLD_CONF_NAME: '05-old.conf' }).oldConfName).toBe('05-old.conf');
  });

  it.each([
    ['0644', 0o644],
    ['600', 0o600],
    ['0o640', 0o640],
  ])('reads the mode %s', (text, mode) => {
    expect(settings({ TEST_FILE_PERMISSION: text }).confMode).toBe(mode);
  });

  it.each([
    ['CNI_NET_DIR', 'etc/cni', /invalid CNI_NET_DIR "etc\/cni": it must be an absolute path, such as/],
    ['CNI_CONF_NAME', '../shadow', /invalid CNI_CONF_NAME "..\/shadow": it must be the name of a file/],
    ['CNI_OLD_CONF_NAME', '..', /invalid CNI_OLD_CONF_NAME/],
    ['TLS_ASSETS_DIR', 'secrets', /invalid TLS_ASSETS_DIR/],
    ['TEST_FILE_PERMISSION', '0999', /invalid TEST_FILE_PERMISSION "0999": it must be permissions in octal/],
    ['CNI_MTU', 'big', /invalid CNI_MTU "big": it must be a number/],
    ['LOG_FILE_MAX_SIZE', '1e3', /invalid LOG_FILE_MAX_SIZE/],
    ['SLEEP', 'yes', /invalid SLEEP "yes": it must be true or false/],
    ['UPDATE_CNI_BINARIES', '2', /invalid UPDATE_CNI_BINARIES/],
  ])('refuses %s=%s', (name, value, message) => {
    expect(() => settings({ [name]: value })).toThrow(message);
  });
});
