// What calls are told of a page that has not been opened yet, in the process that is to open it and in another one, on a clock of the
// test's own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SignInPages, type PageOffer } from '../../src/auth/sign-in-pages.ts';
import { openStore } from '../../src/auth/store/open-store.ts';
import { Abort } from '../../src/platform/abort.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { useHttpServer } from '../support/http-server.ts';
import { defaultSettings } from '../support/default-settings.ts';

const settings = { ...defaultSettings, openBrowser: 'on-call' } as const;

test('AU4 while the authorization server hangs, no call is told that a page is open', async () => {
  const { origin } = await useHttpServer(() => {});
  const stateDir = mkdtempSync(join(tmpdir(), 'mcp-bridge-test-'));
  onTestFinished(() => rmSync(stateDir, { recursive: true, force: true }));
  const clock = new FakeClock();
  const store = openStore({ stateDir }, {}, { insecure: true, clock });
  const profile = { name: 'work', url: new URL(`${origin}/mcp`), headers: {} };
  const options = {
    paths: { stateDir },
    store,
    clock,
    env: { DISPLAY: ':0' },
    sources: { isWanted: () => true },
  };
  const usePages = (): (() => Promise<PageOffer | undefined>) => {
    const pages = new SignInPages(options);
    onTestFinished(() => pages.close(new Abort().signal));
    return () => pages.offer(profile, settings, () => {}, 'ERR_AUTH_REQUIRED');
  };
  const here = usePages();
  const elsewhere = usePages();
  const first = here();
  await clock.advance(5000);
  const second = here();
  expect(await elsewhere()).toBeUndefined();
  await clock.advance(8000);
  expect(await Promise.all([first, second])).toEqual([undefined, undefined]);
});
