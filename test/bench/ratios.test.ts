import { describe, expect, it } from 'vitest';
import type { Figures } from '../../bench/measure.ts';
import { judge, judgeAll, type Bound, type Measured } from '../../bench/ratios.ts';
import { alignColumns, figureLines, findingLines } from '../../bench/table.ts';

const atMost: Bound = { id: 'PF2', what: 'p50', is: 'at most', limit: 1.3, unit: '×' };
const relay: Figures = { launchMs: 70, p50Ms: 0.2, callsPerS: 10_000, downMs: 2, upMs: 3 };
const nothing: Measured = {
  shared: [],
  sharedToBare: [],
  inProcess: [],
  launch: undefined,
  daemonGrowths: [],
  inProcessGrowths: [],
  handshake: undefined,
};

function verdictsOf(measured: Measured, id: string): string[] {
  return judgeAll(measured)
    .filter((finding) => finding.id === id)
    .map(({ verdict }) => verdict);
}

describe('bounds', () => {
  it('PF2 holds at the limit itself when the bound is "at most" or "at least", not when it is "below"', () => {
    expect(judge(atMost, [1.3]).verdict).toBe('HOLDS');
    expect(judge({ ...atMost, is: 'at least' }, [1.3]).verdict).toBe('HOLDS');
    expect(judge({ ...atMost, is: 'below' }, [1.3]).verdict).toBe('MISSED');
  });

  it('PF2 is missed past the limit, on the side that the bound names', () => {
    expect(judge(atMost, [1.31]).verdict).toBe('MISSED');
    expect(judge({ ...atMost, is: 'at least' }, [1.29]).verdict).toBe('MISSED');
  });

  it('counts the median of the rounds, so that one bad round does not decide', () => {
    expect(judge(atMost, [1.1, 9, 1.2])).toMatchObject({ verdict: 'HOLDS', value: { median: 1.2, max: 9 } });
  });

  it('never says that a bound holds that was not measured', () => {
    expect(judge(atMost, []).verdict).toBe('not measured');
    for (const { verdict } of judgeAll(nothing)) expect(verdict).toBe('not measured');
  });

  it('compares within a round: a machine that slows both down changes nothing', () => {
    const slow = { ...relay, p50Ms: 2, callsPerS: 1_000, downMs: 20, upMs: 30 };
    const pairs = [relay, slow].map((one) => ({ beside: one, own: { ...one, p50Ms: one.p50Ms! * 1.4 } }));
    const [p50, callsPerS] = ['HOLDS', 'HOLDS'];
    const unknown = Array.from({ length: 4 }, () => 'not measured');
    expect(verdictsOf({ ...nothing, shared: pairs }, 'PF2')).toEqual([p50, callsPerS, ...unknown]);
  });

  it('turns the times of a payload into a speed: twice the time is half of it', () => {
    const inProcess = [{ beside: relay, own: { ...relay, downMs: 4 } }];
    const down = judgeAll({ ...nothing, inProcess }).find(({ what }) => what.includes('down'));
    expect(down).toMatchObject({ value: { median: 0.5 }, verdict: 'MISSED' });
  });

  it('measures growth from idle, and says how much of it came late', () => {
    const daemonGrowths = [{ calls: 20_000, idleMb: 80, warmCalls: 5_000, warmMb: 95, afterMb: 96 }];
    const growth = judgeAll({ ...nothing, daemonGrowths }).find(({ what }) => what.includes('growth'));
    expect(growth).toMatchObject({ value: { median: 16 }, verdict: 'HOLDS' });
    expect(growth?.note).toContain('1.0 MB');
  });

  it('PF1 compares each launch with the bare one beside it', () => {
    const launches = [
      { ms: 26, bareMs: 20 },
      { ms: 260, bareMs: 200 },
      { ms: 90, bareMs: 20 },
    ];
    const launch = { bareMs: [], warm: launches, cold: [{ ms: 130, bareMs: 20 }] };
    expect(verdictsOf({ ...nothing, launch }, 'PF1')).toEqual(['HOLDS', 'MISSED']);
  });

  it('PF3 weighs a front against bare Node.js, and its daemon by itself', () => {
    const own = { ...relay, idleMb: 53, daemonIdleMb: 91 };
    const sharedToBare = [{ own, beside: { launchMs: 25, idleMb: 46 } }];
    const verdicts = verdictsOf({ ...nothing, sharedToBare }, 'PF3');
    expect(verdicts.slice(0, 2)).toEqual(['HOLDS', 'MISSED']);
  });

  it('holds PF4 below a hundredth only', () => {
    const handshake = { handshakeMs: 400, sessionMs: 0.3, perRequestMs: 410 };
    expect(verdictsOf({ ...nothing, handshake }, 'PF4')).toEqual(['HOLDS']);
    expect(verdictsOf({ ...nothing, handshake: { ...handshake, sessionMs: 4.2 } }, 'PF4')).toEqual([
      'MISSED',
    ]);
  });
});

describe('tables', () => {
  it('aligns by the widest cell of each column, and repeats the last letter', () => {
    expect(
      alignColumns(
        [
          ['a', '1', '22'],
          ['bbb', '333', '4'],
        ],
        'lr',
      ),
    ).toEqual(['a      1  22', 'bbb  333   4']);
  });

  it('names a candidate that could not run, with the reason', () => {
    const lines = figureLines([
      { name: 'relay', version: '1', figures: [relay], failures: [] },
      { name: 'peer', version: '2', figures: [], failures: ['It exited (1).'] },
    ]);
    expect(lines).toContain('peer: not measured. It exited (1).');
    expect(lines.find((line) => line.startsWith('peer '))).toContain('–');
  });

  it('prints a small ratio as a number, not as zero', () => {
    const handshake = { handshakeMs: 400, sessionMs: 0.2, perRequestMs: 410 };
    const line = findingLines(judgeAll({ ...nothing, handshake })).find((one) => one.startsWith('PF4'));
    expect(line).toContain('0.00049 ×');
  });
});
