import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCounter } from '../../../../src/node/metrics/counter.ts';
import { formatMetrics } from '../../../../src/node/metrics/format-metrics.ts';
import { createHistogram } from '../../../../src/node/metrics/histogram.ts';
import { gauge, gaugeBy } from '../../../../src/node/metrics/metric-family.ts';
import { metricValue, readMetrics } from '../../../support/metrics-text.ts';

describe('formatMetrics()', () => {
  it('writes a gauge, a counter and a histogram as Prometheus reads them', () => {
    const steps = createCounter('calico_node_steps_total', 'Steps.', [{ step: 'replace-route' }]);
    steps.add({ step: 'set-up' }, 2);
    const rounds = createHistogram('calico_node_round_seconds', 'Rounds.', [0.01, 1]);
    rounds.observe(0.01, { cause: 'tick' });
    rounds.observe(0.5, { cause: 'tick' });
    rounds.observe(3, { cause: 'tick' });
    expect(formatMetrics([gauge('up', 'Whether it is up.', 1), steps.family(), rounds.family()])).toBe(
      `# HELP up Whether it is up.
# TYPE up gauge
up 1
# HELP calico_node_steps_total Steps.
# TYPE calico_node_steps_total counter
calico_node_steps_total{step="replace-route"} 0
calico_node_steps_total{step="set-up"} 2
# HELP calico_node_round_seconds Rounds.
# TYPE calico_node_round_seconds histogram
calico_node_round_seconds_bucket{cause="tick",le="0.01"} 1
calico_node_round_seconds_bucket{cause="tick",le="1"} 2
calico_node_round_seconds_bucket{cause="tick",le="+Inf"} 3
calico_node_round_seconds_sum{cause="tick"} 3.51
calico_node_round_seconds_count{cause="tick"} 3
`,
    );
  });

  it('leaves out a family that has nothing to say', () => {
    expect(formatMetrics([gaugeBy('a', 'A.', 'b', [])])).toBe('');
  });

  it.each([
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
    [1e21, '1e+21'],
    [0.1, '0.1'],
  ])('writes %s as %s', (value, text) => {
    expect(formatMetrics([gauge('a', 'A.', value)])).toContain(`\na ${text}\n`);
  });

  it('gives back every label and number to whoever reads it', () => {
    const samples = fc.uniqueArray(fc.tuple(fc.string({ unit: 'grapheme' }), fc.double()), {
      minLength: 1,
      selector: ([label]) => label,
    });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), samples, (help, values) => {
        const read = readMetrics(formatMetrics([gaugeBy('a', help, 'of', values)]));
        for (const [of, value] of values)
          expect(metricValue(read, 'a', { of })).toBe(Object.is(value, -0) ? 0 : value);
      }),
    );
  });
});

describe('createHistogram()', () => {
  it('counts every value in all buckets from its own on', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 100, noNaN: true })), (values) => {
        const histogram = createHistogram('a', 'A.');
        for (const value of values) histogram.observe(value);
        const text = formatMetrics([histogram.family()]);
        if (values.length === 0) return;
        const read = readMetrics(text);
        expect(metricValue(read, 'a_count')).toBe(values.length);
        for (const le of ['0.001', '0.5', '60'])
          expect(metricValue(read, 'a_bucket', { le })).toBe(
            values.filter((one) => one <= Number(le)).length,
          );
      }),
    );
  });
});
