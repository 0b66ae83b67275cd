// A certificate authority of a test's own, and what it signs. OpenSSL's command line makes it all; where there is none, nothing is
// made, and tests that use it skip: `beforeEach((context) => needsTools(context, 'openssl'))`.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingTools } from './needs.ts';

export interface Signed {
  /** Paths of PEM files. */
  readonly cert: string;
  readonly key: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export class Authority {
  readonly #folder: string;
  /** The file with its certificate. */
  readonly caFile: string;

  constructor(name: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'mcp-bridge-ca-'));
    process.once('exit', () => rmSync(this.#folder, { recursive: true, force: true }));
    this.caFile = this.path('ca.crt');
    this.#openssl('req', '-x509', ...KEY, '-days', '2', '-subj', `/CN=${name}`, ...this.#out('ca'));
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** @param names as OpenSSL writes them: `DNS:service.example,IP:127.0.0.1` */
  sign(name: string, names: string): Signed {
    const request = this.path(`${name}.csr`);
    const extensions = this.path(`${name}.ext`);
    writeFileSync(extensions, `subjectAltName=${names}\n`);
    this.#openssl(
      'req',
      ...KEY,
      '-subj',
      `/CN=${name}`,
      '-keyout',
      this.path(`${name}.key`),
      '-out',
      request,
    );
    const issuer = ['-CA', this.caFile, '-CAkey', this.path('ca.key'), '-CAcreateserial'];
    const out = ['-out', this.path(`${name}.crt`), '-days', '2', '-extfile', extensions];
    this.#openssl('x509', '-req', '-in', request, ...issuer, ...out);
    return { cert: this.path(`${name}.crt`), key: this.path(`${name}.key`) };
  }

  #out(name: string): string[] {
    return ['-keyout', this.path(`${name}.key`), '-out', this.path(`${name}.crt`)];
  }

  #openssl(...args: string[]): void {
    if (missingTools('openssl') === undefined) execFileSync('openssl', args, { stdio: 'pipe' });
  }
}

/** What tls.createServer takes. */
export function pem({ cert, key }: Signed): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}
