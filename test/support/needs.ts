// What a test needs of the machine beside Node.js. Where it is missing the test is skipped, and CI prints the reason
// (.ci/reporter.mjs); .ci/run installs all of it but NSIS, which the tests with Wine need.
//   beforeEach((context) => needsTools(context, 'openssl'));
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The Debian package of each. */
const PACKAGES = {
  bash: 'bash',
  busybox: 'busybox-static',
  chromium: 'chromium',
  curl: 'curl',
  'dbus-daemon': 'dbus',
  'dbus-send': 'dbus',
  'dbus-test-tool': 'dbus-tests',
  debootstrap: 'debootstrap',
  'dpkg-deb': 'dpkg',
  'gnome-keyring-daemon': 'gnome-keyring',
  ip: 'iproute2',
  lintian: 'lintian',
  makensis: 'nsis',
  mount: 'mount',
  openssl: 'openssl',
  perl: 'perl',
  script: 'bsdutils',
  'secret-tool': 'libsecret-tools',
  setpriv: 'util-linux',
  shellcheck: 'shellcheck',
  umount: 'mount',
  unshare: 'util-linux',
  unzip: 'unzip',
} as const;

export type Tool = keyof typeof PACKAGES;

interface Skippable {
  skip(condition: boolean, note?: string): void;
}

/** Why a test cannot run here; undefined where all of these are installed. */
export function missingTools(...tools: Tool[]): string | undefined {
  const missing = tools.filter((tool) => pathOf(tool) === undefined);
  const named = missing.map((tool) => `\`${tool}\` (Debian: ${PACKAGES[tool]})`);
  return missing.length === 0 ? undefined : `needs ${named.join(' and ')}`;
}

/** Skips the test, or each test of a `beforeEach`, where one of these is missing. */
export function needsTools(context: Skippable, ...tools: Tool[]): void {
  const reason = missingTools(...tools);
  context.skip(reason !== undefined, reason);
}

/** Skips the test where it is not run by root, who alone may mount and be somebody else. */
export function needsRoot(context: Skippable): void {
  context.skip(process.getuid?.() !== 0, 'needs root');
}

export function pathOf(tool: Tool): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, tool)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
