// Signing in with a real browser, Debian's Chromium: the redirects, the cookies and the last page as a person meets them.
// SCREENSHOTS=<folder> keeps a picture of each page.
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { useHome } from '../../support/cli-process.ts';
import { LoginProcess } from '../../support/login-process.ts';
import { needsTools, pathOf } from '../../support/needs.ts';
import { useProtectedService } from '../../support/protected-service.ts';
import { useBridge } from '../../support/use.ts';

const folder = process.env['SCREENSHOTS'];
const LIMIT = { timeout: 60_000 };

beforeEach((context) => needsTools(context, 'chromium'));

async function useBrowser(): Promise<Browser> {
  const executablePath = pathOf('chromium') ?? '';
  // Chromium's own sandbox does not start for root.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  onTestFinished(() => browser.close());
  return browser;
}

async function picture(page: Page, name: string): Promise<void> {
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) });
}

describe('AU1 in Chromium', LIMIT, () => {
  test.each(['light', 'dark'] as const)('a person signs in and is told so (%s)', async (colorScheme) => {
    const { service } = await useProtectedService();
    const browser = await useBrowser();
    const home = useHome();
    const login = new LoginProcess(home, service.url);
    const page = await browser.newPage({ colorScheme, viewport: { width: 900, height: 700 } });
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      // Browsers ask every site for an icon.
      if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico'))
        faults.push(message.text());
    });
    await page.goto(await login.address());
    await picture(page, `ask-${colorScheme}`);
    await page.fill('input[name=name]', 'ada');
    await page.click('button[value=allow]');
    await page.waitForSelector('main.success');
    await picture(page, `done-${colorScheme}`);
    expect(await page.title()).toBe('You are signed in · mcp-bridge');
    expect(await page.innerText('main')).toContain('You can close this tab');
    // The style is the page's own, and the policy lets it through.
    const card = await page.evaluate<string>('getComputedStyle(document.querySelector("main")).borderRadius');
    expect(card).toBe('16px');
    expect(faults).toEqual([]);
    expect(await login.end()).toMatchObject({ code: 0, stderr: '' });
    const bridge = await useBridge(service.url, { home });
    await bridge.initialize();
    expect((await bridge.callTool('search_notes', { query: 'x' })).error).toBeUndefined();
  });

  test('a person who says no is told so, and what to do', async () => {
    const { service } = await useProtectedService();
    const browser = await useBrowser();
    const login = new LoginProcess(useHome(), service.url);
    const page = await browser.newPage({ viewport: { width: 420, height: 760 } });
    await page.goto(await login.address());
    await page.click('button[value=deny]');
    await page.waitForSelector('main.failure');
    await picture(page, 'declined-narrow');
    expect(await page.innerText('main')).toMatch(/You are not signed in.*declined/s);
    // Nothing is cut off on a narrow screen.
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(await login.end()).toMatchObject({ code: 1 });
  });
});
