/** The script that Node.js makes the startup snapshot from: it evaluates the bundle, which says what to run later. */

/**
 * The text of the script. All functions of the bundle are compiled now, because one that is compiled during a call
 * makes that call longer: 7 ms altogether, for 0.6 MB of snapshot. `flags`: those of V8 that the executable will run
 * with; what is compiled under others is thrown away.
 */
export function snapshotScript(bundlePath: string, flags: readonly string[]): string {
  return `
    const { setFlagsFromString } = require('node:v8');
    const source = require('node:fs').readFileSync(${JSON.stringify(bundlePath)}, 'utf8');
    for (const flag of ${JSON.stringify(flags)}) setFlagsFromString(flag);
    setFlagsFromString('--no-lazy');
    const evaluate = require('node:vm').runInThisContext(
      '(function (require, module, exports) {' + source + '})',
      { filename: 'calico.cjs' },
    );
    setFlagsFromString('--lazy');
    evaluate(require, { exports: {} }, {});
  `;
}
