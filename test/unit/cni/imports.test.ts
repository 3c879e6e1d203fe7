import { describe, expect, it } from 'vitest';
import { sourceFiles } from '../../architecture/source-files.ts';

describe('the protocol', () => {
  it('evaluates no schema, neither itself nor through base, so that VERSION stays cheap', () => {
    const rooms = sourceFiles().filter(({ room }) => room === 'cni' || room === 'base');
    expect(rooms.length).toBeGreaterThan(10);
    const packages = rooms.flatMap(({ imports }) => imports.map(({ specifier }) => specifier));
    expect(packages.filter((specifier) => /^zod/.test(specifier))).toEqual([]);
  });
});
