// Whom a connection trusts and what it shows: Node's own list of authorities, the files that are named, and, once somebody
// shows a certificate of whom neither knows the issuer, the store of the operating system. That one is asked only then,
// because reading it takes from some milliseconds to a second, and few machines need it.

import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { Network } from './network.ts';
import { NetworkError } from './network-error.ts';

type TrustOptions = Pick<Network, 'caFiles' | 'clientCert' | 'clientKey'>;

const NOTHING: TrustOptions = { caFiles: [] };
const MAX_KNOWN = 32;
const known = new Map<string, Trust>();
let systemStore: readonly string[] | undefined;

/** The same for the same files, so that certificates are parsed once for all connections. */
export function trustOf({ caFiles, clientCert, clientKey }: TrustOptions = NOTHING): Trust {
  const key = JSON.stringify([caFiles, clientCert, clientKey]);
  let trust = known.get(key);
  if (trust === undefined) {
    trust = new Trust({
      caFiles,
      ...(clientCert === undefined ? undefined : { clientCert }),
      ...(clientKey === undefined ? undefined : { clientKey }),
    });
    const [oldest] = known.keys();
    if (known.size >= MAX_KNOWN && oldest !== undefined) known.delete(oldest);
    known.set(key, trust);
  }
  return trust;
}

export class Trust {
  readonly #options: TrustOptions;
  #isWide = false;
  #made: { readonly stamp: string; readonly context: SecureContext } | undefined;

  constructor(options: TrustOptions) {
    this.#options = options;
  }

  /**
   * For one more connection; undefined where Node's defaults do. A file that was exchanged is read anew, so that a
   * certificate can be renewed under a running bridge.
   * @throws NetworkError
   */
  context(): SecureContext | undefined {
    const { caFiles, clientCert, clientKey } = this.#options;
    if (caFiles.length === 0 && clientCert === undefined && !this.#isWide) return undefined;
    const files = [
      ...caFiles.map((path) => ({ path, setting: 'caFile' })),
      ...(clientCert === undefined ? [] : [{ path: clientCert, setting: 'clientCert' }]),
      ...(clientKey === undefined ? [] : [{ path: clientKey, setting: 'clientKey' }]),
    ];
    const stamp = [String(this.#isWide), ...files.map(stampOf)].join(' ');
    if (this.#made?.stamp !== stamp) this.#made = { stamp, context: this.#make() };
    return this.#made.context;
  }

  /** Trusts the authorities of the operating system too, from now on. False where it did already. */
  widen(): boolean {
    if (this.#isWide) return false;
    this.#isWide = true;
    return true;
  }

  #make(): SecureContext {
    const { caFiles, clientCert, clientKey = clientCert } = this.#options;
    const own = caFiles.flatMap(readAuthorities);
    if (this.#isWide) systemStore ??= getCACertificates('system');
    const ca = [...getCACertificates('default'), ...own, ...(this.#isWide ? (systemStore ?? []) : [])];
    if (clientCert === undefined || clientKey === undefined) return makeContext({ ca }, caFiles[0], 'caFile');
    const cert = read({ path: clientCert, setting: 'clientCert' });
    const key = read({ path: clientKey, setting: 'clientKey' });
    // First without the key, because OpenSSL does not say which of the files it cannot use.
    makeContext({ ca, cert }, clientCert, 'clientCert');
    return makeContext({ ca, cert, key }, clientKey, 'clientKey');
  }
}

/** What Node.js and OpenSSL say where nobody who is trusted has signed the certificate (nodejs.org/api/tls.html). */
const UNKNOWN_ISSUER: ReadonlySet<string> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_UNTRUSTED',
]);

export function isUnknownIssuer(code: string | undefined): boolean {
  return code !== undefined && UNKNOWN_ISSUER.has(code);
}

interface File {
  readonly path: string;
  readonly setting: string;
}

/** One by one, because OpenSSL passes over those in a list that it cannot read. */
function readAuthorities(path: string): string[] {
  const file = { path, setting: 'caFile' };
  const blocks = read(file).match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs);
  if (blocks === null)
    throw new NetworkError({ kind: 'file', ...file, reason: 'it holds no certificate in PEM' });
  for (const block of blocks) parse(block, file);
  return blocks;
}

function parse(block: string, file: File): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch (error) {
    throw new NetworkError({ kind: 'file', ...file, reason: refusalOf(error) }, error);
  }
}

function refusalOf(error: unknown): string {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  return code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'
    ? 'the key does not belong to the certificate'
    : `OpenSSL does not take it (${code})`;
}

function makeContext(
  options: Parameters<typeof createSecureContext>[0],
  path: string | undefined,
  setting: string,
): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    throw new NetworkError(
      { kind: 'file', path: path ?? 'of the system', setting, reason: refusalOf(error) },
      error,
    );
  }
}

function read({ path, setting }: File): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable({ path, setting }, error);
  }
}

function stampOf(file: File): string {
  try {
    const { mtimeMs, size, ino } = statSync(file.path);
    return `${mtimeMs}-${size}-${ino}`;
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable({ path, setting }: File, error: unknown): NetworkError {
  const { code } = error as NodeJS.ErrnoException;
  const reason = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
  return new NetworkError({ kind: 'file', path, setting, reason }, error);
}
