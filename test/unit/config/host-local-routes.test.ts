import { describe, expect, it } from 'vitest';
import { formatCidr, parseCidr } from '../../../src/base/cidr.ts';
import { DEFAULT_ROUTES, podRoutes } from '../../../src/config/host-local-routes.ts';

describe('podRoutes()', () => {
  const routes = (includeDefaultRoutes: boolean, ...own: readonly string[]) =>
    podRoutes({ includeDefaultRoutes, ipam: { hostLocalRoutes: own.map(parseCidr) } }).map(formatCidr);

  it.each([true, false])('are the default routes when the configuration has none (%s)', (include) => {
    expect(routes(include)).toEqual(DEFAULT_ROUTES.map(formatCidr));
    expect(routes(include)).toEqual(['0.0.0.0/0', '::/0']);
  });

  it('are those of the configuration alone', () => {
    expect(routes(false, '10.96.0.0/12', 'fd00::/8')).toEqual(['10.96.0.0/12', 'fd00::/8']);
  });

  it('are the default routes first where both are wanted', () => {
    expect(routes(true, '10.96.0.0/12')).toEqual(['0.0.0.0/0', '::/0', '10.96.0.0/12']);
  });

  it('have no route twice, which the kernel would refuse', () => {
    expect(routes(true, '10.96.0.0/12', '0.0.0.0/0', '10.96.0.1/12')).toEqual([
      '0.0.0.0/0',
      '::/0',
      '10.96.0.0/12',
    ]);
  });
});
