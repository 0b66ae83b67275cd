// Settings that follow the config files: which are taken up, and which wait.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ConfigFollower } from '../../src/config/config-follower.ts';
import { resolveRun, type Resolved } from '../../src/config/resolve.ts';
import { isLive, SETTINGS, type SettingName } from '../../src/config/settings.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** What nobody holds is not followed. */
const held: unknown[] = [];

function follow(before: object): {
  settings: Resolved['settings'];
  told: string[];
  change(text: string | object): Promise<void>;
} {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-bridge-follow-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const places = { configFile: join(folder, 'config.json'), managedConfigFile: join(folder, 'managed.json') };
  writeFileSync(places.configFile, JSON.stringify(before));
  const clock = new FakeClock();
  const told: string[] = [];
  const follower = new ConfigFollower({ places, clock, onChange: (reason) => told.push(reason) });
  onTestFinished(() => follower.close());
  const again = (): Resolved => resolveRun({ target: 'work', flags: {}, headers: [] }, {}, places);
  const { settings } = follower.follow(again(), again);
  held.push(settings);
  return {
    settings,
    told,
    async change(text) {
      writeFileSync(places.configFile, typeof text === 'string' ? text : JSON.stringify(text));
      await clock.advance(2000);
    },
  };
}

const profiles = { work: { url: 'https://work.example/mcp' } };

test.each(Object.keys(SETTINGS) as SettingName[])(
  'CF5 %s is taken up, or waits, as the table says',
  async (name) => {
    const spec = SETTINGS[name];
    const value = {
      number: spec.type === 'number' ? spec.default + 1 : 0,
      switch: true,
      text: name === 'proxy' ? 'none' : '/a.pem',
      choice: spec.type === 'choice' ? spec.choices.find((each) => each !== spec.default) : '',
    }[spec.type];
    const { settings, told, change } = follow({ profiles });
    await change({ profiles, [name]: value });
    expect(settings[name]).toBe(isLive(name) ? value : spec.default);
    expect(told).toEqual([isLive(name) ? `taken up: ${name}` : `waiting for the next launch: ${name}`]);
  },
);

test('CF5 a service that moves waits for the next launch', async () => {
  const { told, change } = follow({ profiles });
  await change({ profiles: { work: { url: 'https://other.example/mcp' } } });
  expect(told).toEqual(['waiting for the next launch: url']);
});

test('CF5 a file that is broken, or without the profile, changes nothing', async () => {
  const { settings, told, change } = follow({ profiles, maxInFlight: 5 });
  await change('{');
  await change({ maxInFlight: 6 });
  expect(settings.maxInFlight).toBe(5);
  expect(told).toEqual([
    expect.stringMatching(/not taken up: .*not valid JSON/),
    expect.stringMatching(/no profile "work"/),
  ]);
  await change({ profiles, maxInFlight: 6 });
  expect(settings.maxInFlight).toBe(6);
});

test('CF5 a file that is written anew with the same in it is nothing to tell of', async () => {
  const { told, change } = follow({ profiles });
  await change(`${JSON.stringify({ profiles })}\n`);
  expect(told).toEqual([]);
});
