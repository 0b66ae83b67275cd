// Somebody signs in to a service, as `mcp-bridge login --insecure-storage` would, and out again.
import { openStore } from '../../src/auth/store/open-store.ts';
import { storeKey, type SignInStore } from '../../src/auth/store/store.ts';
import type { SignIn } from '../../src/auth/sign-in.ts';
import { resolvePaths } from '../../src/platform/paths.ts';
import { flowParts, signInAs } from '../auth/signing-in.ts';

function storeOf(home: string): SignInStore {
  return openStore(resolvePaths({ MCP_BRIDGE_HOME: home }), {}, { insecure: true });
}

/** A sign-in through the service's own authorization server, kept in this home. */
export async function signInto(home: string, serviceUrl: string): Promise<SignIn> {
  const { signIn } = await signInAs(await flowParts(serviceUrl));
  await keepSignIn(home, serviceUrl, signIn);
  return signIn;
}

export async function keepSignIn(home: string, serviceUrl: string, signIn: SignIn): Promise<void> {
  const result = await storeOf(home).save(storeKey(new URL(serviceUrl)), signIn);
  if (result.kind === 'failed') throw new Error(result.message);
}

export async function signOutOf(home: string, serviceUrl: string): Promise<void> {
  const result = await storeOf(home).remove(storeKey(new URL(serviceUrl)));
  if (result.kind === 'failed') throw new Error(result.message);
}
