// Signing in through the browser: authorization code with PKCE (S256), state and iss, back to an address on this machine.

import { startAuthorization } from '@modelcontextprotocol/sdk/client/auth.js';
import { unguessableText } from '../platform/random-text.ts';
import type { AuthError } from './auth-error.ts';
import { judgeCallback } from './callback.ts';
import { identify, type ClientIdentity } from './client-identity.ts';
import { signedIn, type FlowParts, type SignedIn } from './flow.ts';
import { LoopbackReceiver, type Received } from './loopback.ts';
import { asAuthError } from './refusal.ts';
import type { ResultPage } from './result-page.ts';
import { requirePkce } from './server-metadata.ts';
import { requestToken } from './token-request.ts';

export interface CodeFlowOptions {
  /** 0 for any that is free. */
  readonly redirectPort: number;
  /** Brings the person's browser to this URL, or asks the person to. */
  readonly show: (url: URL) => Promise<void>;
  /** Looks at what came of it while the browser waits; rejects with AuthError where it is not good. */
  readonly settle: (result: SignedIn) => Promise<void>;
}

/** @throws AuthError */
export async function signInByCode(parts: FlowParts, options: CodeFlowOptions): Promise<SignedIn> {
  requirePkce(parts.discovered.metadata);
  const receiver = await LoopbackReceiver.open(options.redirectPort, parts.clock);
  try {
    return await receive(parts, options, receiver);
  } finally {
    await receiver.close();
  }
}

async function receive(
  parts: FlowParts,
  { show, settle }: CodeFlowOptions,
  receiver: LoopbackReceiver,
): Promise<SignedIn> {
  const { discovered, scope, fetch, signal } = parts;
  const { metadata, resource } = discovered;
  const { redirectUri } = receiver;
  const grantTypes = ['authorization_code', 'refresh_token'];
  const client = await identify(parts.client, metadata, { redirectUri, grantTypes, scope }, fetch);
  const state = unguessableText();
  const { url, codeVerifier } = await authorizationUrl(parts, client, redirectUri, state);
  const received = receiver.receive(
    (params) =>
      judgeCallback(params, {
        state,
        issuer: metadata.issuer,
        issuerIsSent: metadata.authorization_response_iss_parameter_supported === true,
      }),
    signal,
  );
  // Waited for below, whatever happens to the browser.
  received.catch(() => {});
  await show(url);
  const { answer, show: showPage } = await received;
  try {
    if (answer.kind === 'failed') throw answer.error;
    const params = {
      grant_type: 'authorization_code',
      code: answer.code,
      code_verifier: codeVerifier,
      redirect_uri: redirectUri,
    };
    const request = { ...parts, metadata, issuer: metadata.issuer, client, resource, params };
    const result = signedIn(parts, client, await requestToken(request), 'authorization_code');
    await settle(result);
    showPage(successPage(discovered.resourceName));
    return result;
  } catch (error) {
    throw failed(asAuthError(error), showPage);
  }
}

async function authorizationUrl(
  { discovered: { metadata, resource }, scope }: FlowParts,
  client: ClientIdentity,
  redirectUrl: string,
  state: string,
): Promise<{ url: URL; codeVerifier: string }> {
  const { authorizationUrl: url, codeVerifier } = await startAuthorization(metadata.issuer, {
    metadata,
    clientInformation: { client_id: client.clientId },
    redirectUrl,
    state,
    ...(scope !== undefined && { scope }),
    ...(resource !== undefined && { resource: new URL(resource) }),
  }).catch((error: unknown) => {
    throw asAuthError(error);
  });
  // As the service spells it: `new URL` adds a slash to a bare origin, and some servers compare letters.
  if (resource !== undefined) url.searchParams.set('resource', resource);
  return { url, codeVerifier };
}

function failed(error: AuthError, showPage: Received['show']): AuthError {
  showPage({
    kind: 'failure',
    title: 'You are not signed in',
    text: error.message,
    advice: error.remedy.replaceAll('`', ''),
  });
  return error;
}

function successPage(name: string | undefined): ResultPage {
  return {
    kind: 'success',
    title: 'You are signed in',
    text: name === undefined ? 'mcp-bridge may use the service now.' : `mcp-bridge may use ${name} now.`,
    advice: 'You can close this tab and go back to where you were.',
  };
}
