// The sources of one process: with what they renew, where launches differ.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/auth/store/open-store.ts';
import { TokenSources } from '../../src/auth/token-sources.ts';
import type { Profile } from '../../src/config/resolve.ts';
import { Abort } from '../../src/platform/abort.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { resolvePaths } from '../../src/platform/paths.ts';
import { useProtectedService } from '../support/protected-service.ts';
import { signInto } from '../support/signed-in.ts';
import { defaultSettings as settings } from '../support/default-settings.ts';

test('AU4 renews over the network of the latest launch, not for ever over that of the first', async () => {
  const { service } = await useProtectedService();
  const home = mkdtempSync(join(tmpdir(), 'mcp-bridge-test-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  await signInto(home, service.url);
  const paths = resolvePaths({ MCP_BRIDGE_HOME: home });
  const store = openStore(paths, {});
  const sources = new TokenSources({ paths, store, clock: systemClock, rng: Math.random });
  const { signal } = new Abort();
  onTestFinished(() => sources.close(signal));
  const profile: Profile = { name: 'work', url: new URL(service.url), headers: {} };
  const broken = { noProxy: '', caFiles: [join(home, 'nowhere.pem')] };
  const source = sources.sourceFor({ ...profile, network: broken }, settings, () => {});
  expect(await source?.obtain(signal)).toMatchObject({ failure: { code: 'ERR_AUTH_UNREACHABLE' } });
  expect(sources.sourceFor(profile, settings, () => {})).toBe(source);
  source?.checkNow();
  expect(await source?.obtain(signal)).toBeUndefined();
  expect(source?.header).toMatch(/^Bearer /);
});
