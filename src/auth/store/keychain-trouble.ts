// What goes wrong with a keychain, in words for people.

import type { KeychainTrouble } from './keychain-request.ts';
import { KEYCHAIN_LIMIT_MS } from './keychain-request.ts';
import type { StoreFailure } from './store.ts';

/** AU3: never elsewhere by itself, so the choices are named. */
const CHOICES =
  'sign in with --insecure-storage to keep the secret in a file that only you can read, or give a token in MCP_BRIDGE_TOKEN.';

export function describeTrouble(trouble: KeychainTrouble, platform: NodeJS.Platform): StoreFailure {
  const name = KEYCHAIN_NAMES[platform] ?? 'The keychain';
  switch (trouble) {
    case 'no-module':
      return failed(
        'ERR_KEYCHAIN_MISSING',
        `${name} cannot be used: its library cannot be loaded${platform === 'linux' ? ' (libsecret)' : ''}.`,
        platform === 'linux'
          ? `Install libsecret (Debian: libsecret-1-0, Fedora: libsecret), or ${CHOICES}`
          : `Install mcp-bridge anew, or ${CHOICES}`,
      );
    case 'no-bus':
      return failed(
        'ERR_KEYCHAIN_MISSING',
        'There is no keychain here: this is no desktop session (no D-Bus session bus).',
        `Run it inside your desktop session, or ${CHOICES}`,
      );
    case 'no-service':
      return failed(
        'ERR_KEYCHAIN_MISSING',
        'There is no keychain here: no program in this session keeps secrets (org.freedesktop.secrets).',
        `Install and start GNOME Keyring, KWallet or KeePassXC, or ${CHOICES}`,
      );
    case 'locked':
      return failed(
        'ERR_KEYCHAIN_LOCKED',
        `${name} is locked.`,
        'Unlock it, for instance by signing in to your desktop or in its own program, then try again.',
      );
    case 'no-answer':
      return failed(
        'ERR_KEYCHAIN_TIMEOUT',
        `${name} did not answer within ${KEYCHAIN_LIMIT_MS / 1000} s.`,
        `Look whether it waits for you in a window; sign out of your desktop and in again if it hangs. Else ${CHOICES}`,
      );
    case 'failed':
      return failed(
        'ERR_KEYCHAIN_FAILED',
        `${name} refused the request.`,
        `Look into its own program whether mcp-bridge is allowed to use it, or ${CHOICES}`,
      );
  }
}

const KEYCHAIN_NAMES: Partial<Record<NodeJS.Platform, string>> = {
  darwin: 'The macOS keychain',
  win32: 'The Windows Credential Manager',
  linux: 'The keychain (Secret Service)',
};

function failed(code: StoreFailure['code'], message: string, remedy: string): StoreFailure {
  return { kind: 'failed', code, message, remedy };
}
