/** The script that Node.js makes the startup snapshot from: it evaluates the bundle, which says what to run later. */

/**
 * The text of the script. All functions of the bundle are compiled now, because one that is compiled during a call
 * makes that call longer: 7 ms altogether, for 0.6 MB of snapshot. `flags`: those of V8 that the executable will run
 * with; what is compiled under others is thrown away.
 *
 * What the bundle asks for with `require('./NAME')` is an asset of the executable of that name, a CommonJS file, which is
 * evaluated when it is first asked for. It can ask for others, and for what the bundle exports by such a name.
 */
export function snapshotScript(bundlePath: string, flags: readonly string[]): string {
  return `
    const { setFlagsFromString } = require('node:v8');
    const source = require('node:fs').readFileSync(${JSON.stringify(bundlePath)}, 'utf8');
    const evaluate = (text, filename) =>
      process.getBuiltinModule('node:vm').runInThisContext(
        '(function (require, module, exports) {' + text + '\\n})',
        { filename },
      );
    const builtin = (name) => {
      const found = process.getBuiltinModule(name);
      if (found === undefined) throw new Error('there is no module ' + name + ' in Node.js');
      return found;
    };
    const first = { exports: {} };
    const late = new Map();
    const load = (name) => {
      if (!name.startsWith('./')) return builtin(name);
      if (name in first.exports) return first.exports[name];
      if (late.has(name)) return late.get(name).exports;
      const module = { exports: {} };
      late.set(name, module);
      const file = name.slice('./'.length);
      const text = process.getBuiltinModule('node:sea').getAsset(file, 'utf8');
      evaluate(text, file)(load, module, module.exports);
      return module.exports;
    };
    for (const flag of ${JSON.stringify(flags)}) setFlagsFromString(flag);
    setFlagsFromString('--no-lazy');
    const run = evaluate(source, 'calico.cjs');
    setFlagsFromString('--lazy');
    run(load, first, first.exports);
  `;
}
