// TLS in front of a service: what comes in is decrypted and passed on byte for byte. Its certificate can be exchanged for
// that of a stranger, whom no client trusts. OpenSSL's command line makes both, once a test process: tests need it (needs.ts).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TlsOptions, type TLSSocket } from 'node:tls';

type Identity = 'own' | 'stranger';

let directory: string | undefined;

/** The file of a self-signed certificate for 127.0.0.1, and that of its key. */
function files(identity: Identity): { cert: string; key: string } {
  if (directory === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'mcp-bridge-tls-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    for (const name of ['own', 'stranger'] as const) {
      const args = [
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ];
      const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
      const out = ['-keyout', join(made, `${name}.key`), '-out', join(made, `${name}.crt`)];
      execFileSync('openssl', ['req', ...args, ...names, ...out], { stdio: 'pipe' });
    }
    directory = made;
  }
  return { cert: join(directory, `${identity}.crt`), key: join(directory, `${identity}.key`) };
}

const context = (identity: Identity): { cert: Buffer; key: Buffer } => {
  const { cert, key } = files(identity);
  return { cert: readFileSync(cert), key: readFileSync(key) };
};

export class TlsFront {
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(server: Server, origin: URL) {
    this.#server = server;
    server.on('tlsClientError', () => {});
    server.on('secureConnection', (socket) => {
      const behind = connect(Number(origin.port), origin.hostname);
      this.#sockets.add(socket);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        behind.destroy();
      });
      behind.on('close', () => socket.destroy());
      socket.on('error', () => {});
      behind.on('error', () => {});
      socket.pipe(behind).pipe(socket);
    });
  }

  /** The file with the certificate that clients are to trust (`NODE_EXTRA_CA_CERTS`). */
  static certificate(): string {
    return files('own').cert;
  }

  /** @param options instead of its own certificate: another, and what clients have to show */
  static async start(origin: string, options: TlsOptions = context('own')): Promise<TlsFront> {
    const server = createServer(options);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TlsFront(server, new URL(origin));
  }

  get origin(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Shows this certificate from now on; connections that are open are closed. */
  present(identity: Identity): void {
    this.#server.setSecureContext(context(identity));
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
