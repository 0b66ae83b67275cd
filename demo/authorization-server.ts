// The demo's authorisation server, on loopback: oidc-provider with dynamic registration, PKCE (S256 only), resource indicators,
// JWT access tokens, refresh tokens that rotate and whose reuse ends the family, device codes, `iss`. Tests take it too.
import { createPublicKey, verify } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider, type KoaContext } from 'oidc-provider';
import { AuthorizationMemory } from './authorization-memory.ts';
import { page, serveSignInPage } from './sign-in-page.ts';

export interface AuthorizationServerOptions {
  /** 0 takes a free one. */
  readonly port?: number;
  /** Under which name it is reached, where something before it speaks TLS (default its own address). */
  readonly issuer?: string;
  /** How long access tokens last, in seconds (default 600). */
  readonly accessTokenSeconds?: number;
  /** How long refresh tokens last, in seconds (default 14 days). */
  readonly refreshTokenSeconds?: number;
  /** What services here may ask for (default `notes`). */
  readonly scopes?: readonly string[];
  /** Signs this person in without a page. */
  readonly autoApprove?: string;
  /** Clients that are known beforehand, as oidc-provider takes them. */
  readonly clients?: readonly Record<string, unknown>[];
  /** Whether clients may register themselves (default true). */
  readonly registration?: boolean;
  /** Whether a URL may be a client's id (default false). */
  readonly clientIdMetadataDocuments?: boolean;
  /** For clients that name no resource, as those of 2025-03-26 do not. */
  readonly defaultResource?: string;
  /** Where clients and grants are kept, so that they outlive the server; without it, in memory. */
  readonly file?: string | undefined;
}

export interface AuthorizationCounts {
  registered: number;
  /** Tokens given for a code. */
  signIns: number;
  refreshes: number;
  /** Refreshes that were refused. */
  refusedRefreshes: number;
  /** Tokens by client credentials and device codes. */
  otherGrants: number;
  revocations: number;
}

export interface TokenClaims {
  readonly sub: string;
  readonly scope: string;
}

export interface AuthorizationServer {
  readonly issuer: string;
  readonly port: number;
  readonly counts: Readonly<AuthorizationCounts>;
  /** Answers in place of the server where it returns true, as a broken or hostile one would. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** What the token says, when it is good for this resource now. */
  verify(token: string, resource: string): TokenClaims | undefined;
  /** Ends every grant, as an administrator would: refresh tokens are refused from now on. */
  revokeAll(): void;
  /** Nobody listens any more; what was granted is kept. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

/** Rejects with Node's own error (`EADDRINUSE`, …) when the port cannot be had. */
export async function startAuthorizationServer(
  options: AuthorizationServerOptions = {},
): Promise<AuthorizationServer> {
  const counts: AuthorizationCounts = {
    registered: 0,
    signIns: 0,
    refreshes: 0,
    refusedRefreshes: 0,
    otherGrants: 0,
    revocations: 0,
  };
  const memory = new AuthorizationMemory(options.file);
  const server = createServer();
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });

  await listen(options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  const issuer = options.issuer ?? `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, configuration(options, memory));
  // What stands before it passes bytes on, and adds no header that would say so.
  provider.proxy = options.issuer !== undefined;
  provider.on('registration_create.success', () => (counts.registered += 1));
  provider.on('grant.success', (ctx) => countGrant(counts, ctx));
  provider.on('grant.error', (ctx) => {
    if (ctx.oidc?.params?.['grant_type'] === 'refresh_token') counts.refusedRefreshes += 1;
  });
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.oidc?.route === 'revocation' && ctx.status === 200) counts.revocations += 1;
  });
  const serve = provider.callback();
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!request.url?.startsWith('/interaction/')) return serve(request, response);
    const { defaultResource, autoApprove } = options;
    return serveSignInPage({ provider, defaultResource, autoApprove }, request, response);
  };

  const running: AuthorizationServer = {
    issuer,
    port,
    counts,
    intercept: undefined,
    verify: (token, resource) =>
      verified(token, { issuer, resource, key: createPublicKey({ key: memory.key, format: 'jwk' }) }),
    revokeAll: () => memory.revokeAll(),
    goAway: stop,
    comeBack: () => listen(port),
    close: stop,
  };
  server.on('request', (request, response) => {
    if (running.intercept?.(request, response) === true) return;
    if (options.issuer !== undefined)
      request.headers['x-forwarded-proto'] = new URL(issuer).protocol.slice(0, -1);
    handle(request, response).catch(() => response.destroy());
  });
  return running;
}

function countGrant(counts: AuthorizationCounts, { oidc }: KoaContext): void {
  switch (oidc?.params?.['grant_type']) {
    case 'authorization_code':
      counts.signIns += 1;
      return;
    case 'refresh_token':
      counts.refreshes += 1;
      return;
    default:
      counts.otherGrants += 1;
  }
}

function configuration(
  options: AuthorizationServerOptions,
  memory: AuthorizationMemory,
): Record<string, unknown> {
  const scopes = options.scopes ?? ['notes'];
  const accessTokenSeconds = options.accessTokenSeconds ?? 600;
  return {
    adapter: (model: string) => memory.adapterFor(model),
    clients: options.clients ?? [],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    jwks: { keys: [{ ...memory.key, alg: 'ES256', use: 'sig', kid: 'demo' }] },
    cookies: { keys: [memory.cookieKey] },
    scopes: ['openid', 'offline_access', ...scopes],
    pkce: { required: () => true },
    findAccount: (_ctx: unknown, accountId: string) => {
      return { accountId, claims: () => ({ sub: accountId }) };
    },
    interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    issueRefreshToken: (_ctx: unknown, client: { grantTypeAllowed(type: string): boolean }) =>
      client.grantTypeAllowed('refresh_token'),
    // Reuse of one that was replaced ends the whole family.
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    ttl: {
      AccessToken: accessTokenSeconds,
      ClientCredentials: accessTokenSeconds,
      RefreshToken: options.refreshTokenSeconds ?? 14 * 86_400,
      AuthorizationCode: 60,
      DeviceCode: 300,
      Grant: 14 * 86_400,
      IdToken: 600,
      Interaction: 600,
      Session: 86_400,
    },
    renderError: (ctx: KoaContext, out: { error: string; error_description?: string }) => {
      ctx.type = 'html';
      ctx.body = page('That did not work', `<pre>${out.error.replaceAll(/\W/g, ' ')}</pre>`);
    },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: options.registration ?? true },
      clientIdMetadataDocument: { enabled: options.clientIdMetadataDocuments ?? false, ack: 'draft' },
      revocation: { enabled: true, allowedPolicy: mayRevoke },
      clientCredentials: { enabled: true },
      deviceFlow: deviceFlow(),
      resourceIndicators: {
        enabled: true,
        defaultResource: () => options.defaultResource,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx: unknown, audience: string) => {
          return {
            audience,
            scope: scopes.join(' '),
            accessTokenTTL: accessTokenSeconds,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'ES256' } },
          };
        },
      },
    },
  };
}

/** A client may end what is its own. */
function mayRevoke(_ctx: unknown, client: { clientId: string }, token: { clientId: string }): boolean {
  return token.clientId === client.clientId;
}

function deviceFlow(): Record<string, unknown> {
  return {
    enabled: true,
    userCodeInputSource: (ctx: KoaContext, form: string) => {
      ctx.body = page(
        'Which device?',
        `${form}<button type="submit" form="op.deviceInputForm">Continue</button>`,
      );
    },
    userCodeConfirmSource: (
      ctx: KoaContext,
      form: string,
      _client: unknown,
      _device: unknown,
      code: string,
    ) => {
      const text = `<p>Does your device show <b>${code.replaceAll(/[^\w-]/g, '')}</b>?</p>`;
      ctx.body = page(
        'This one?',
        `${text}${form}<button type="submit" form="op.deviceConfirmForm">Yes</button>`,
      );
    },
    successSource: (ctx: KoaContext) => {
      ctx.body = page('Signed in', '<p>Go back to your device.</p>');
    },
  };
}

interface Expected {
  readonly issuer: string;
  readonly resource: string;
  readonly key: ReturnType<typeof createPublicKey>;
}

/** RFC 9068, as far as a demo needs it. */
function verified(token: string, { issuer, resource, key }: Expected): TokenClaims | undefined {
  const [head, body, signature, ...rest] = token.split('.');
  if (head === undefined || body === undefined || signature === undefined || rest.length > 0)
    return undefined;
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${body}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  if (!isSigned) return undefined;
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
  const isGood =
    claims['iss'] === issuer && claims['aud'] === resource && Number(claims['exp']) * 1000 > Date.now();
  return isGood ? { sub: textOf(claims['sub']), scope: textOf(claims['scope']) } : undefined;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
