/** The parts of a host that are looked at separately, because they change separately. Pure types. */

/**
 * - `links`: interfaces and their addresses
 * - `neighbours`, `fdb`: of our devices
 * - `routes`: of the main table
 * - `switches`: what is read below /proc/sys
 * - `surroundings`: kernel modules, and agents of others
 */
export type HostPart = 'links' | 'neighbours' | 'fdb' | 'routes' | 'switches' | 'surroundings';

export const ALL_PARTS: readonly HostPart[] = [
  'links',
  'neighbours',
  'fdb',
  'routes',
  'switches',
  'surroundings',
];
