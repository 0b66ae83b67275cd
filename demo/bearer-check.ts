// How a service asks for a token: the challenge (RFC 6750), and the document that says who gives tokens (RFC 9728). Owns no
// service; it stands before one.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthorizationServer } from './authorization-server.ts';

export interface BearerCheckOptions {
  readonly authorization: AuthorizationServer;
  /** All of these a token must have (default `notes`). */
  readonly scopes?: readonly string[];
  /** Under which name the service is reached, where something before it speaks TLS. */
  readonly origin?: string;
}

/** Counts what it has seen. */
export class BearerCheck {
  readonly #authorization: AuthorizationServer;
  /** All of these a token must have. */
  scopes: readonly string[];
  readonly #origin: string | undefined;
  /** So many good tokens are refused all the same, as by a service whose clock is ahead. */
  refusing = 0;
  readonly #seen = new Set<string>();
  readonly #spurned = new Set<string>();
  passed = 0;
  /** Without a token, or with one that is not good (any more). */
  refused = 0;

  constructor({ authorization, scopes = ['notes'], origin }: BearerCheckOptions) {
    this.#origin = origin;
    this.#authorization = authorization;
    this.scopes = scopes;
  }

  /** From now on the tokens that have been shown are good no more, as after somebody has revoked them. */
  spurnSeen(): void {
    for (const token of this.#seen) this.#spurned.add(token);
  }

  /** Whether the request may go on to the service; if not, it has been answered. */
  admit(request: IncomingMessage, response: ServerResponse): boolean {
    const origin = this.#origin ?? `http://${request.headers.host ?? ''}`;
    const wellKnown = '/.well-known/oauth-protected-resource';
    const path = new URL(request.url ?? '/', origin).pathname;
    if (path === wellKnown || path.startsWith(`${wellKnown}/`)) {
      this.#describe(response, `${origin}${path.slice(wellKnown.length)}`);
      return false;
    }
    // What is well known is open to all; here there is nothing else of it.
    if (path.startsWith('/.well-known/')) {
      response.writeHead(404).end();
      return false;
    }
    const metadata = `resource_metadata="${origin}${wellKnown}${path}"`;
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token !== undefined) this.#seen.add(token);
    const isCounted = token !== undefined && this.refusing > 0;
    if (isCounted) this.refusing -= 1;
    const isSpurned = isCounted || this.#spurned.has(token ?? '');
    const isShown = token !== undefined && !isSpurned;
    const claims = isShown ? this.#authorization.verify(token, `${origin}${path}`) : undefined;
    const scope = `scope="${this.scopes.join(' ')}"`;
    if (claims === undefined) {
      this.refused += 1;
      const error = token === undefined ? '' : ', error="invalid_token"';
      response.writeHead(401, { 'www-authenticate': `Bearer ${metadata}, ${scope}${error}` }).end();
      return false;
    }
    const granted = claims.scope.split(' ');
    if (!this.scopes.every((name) => granted.includes(name))) {
      const error = 'error="insufficient_scope"';
      response.writeHead(403, { 'www-authenticate': `Bearer ${error}, ${scope}, ${metadata}` }).end();
      return false;
    }
    this.passed += 1;
    return true;
  }

  #describe(response: ServerResponse, resource: string): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        resource,
        authorization_servers: [this.#authorization.issuer],
        scopes_supported: [...this.scopes],
        bearer_methods_supported: ['header'],
        resource_name: 'Demo notes',
      }),
    );
  }
}
