// Which URLs of strangers sign-in may use: https, or http to this machine where the service itself is on it. Pure.

import { isThisMachine } from '../platform/network/network.ts';
import { AuthError, quoted } from './auth-error.ts';

export interface UrlRules {
  /** `--allow-http`: the person accepts that everything can be read on the way. */
  readonly allowHttp: boolean;
  /**
   * Whether addresses of this machine are right: only for a service that is on it. Any other could reach into what listens
   * here (SSRF).
   */
  readonly isLocal: boolean;
}

export function rulesFor(service: URL, allowHttp: boolean): UrlRules {
  return { allowHttp, isLocal: isThisMachine(service.hostname) };
}

const MAX_URL_LENGTH = 4096;

/**
 * @param what names it in the message, as in "the token endpoint"
 * @throws AuthError
 */
export function checkUrl(text: string, what: string, { allowHttp, isLocal }: UrlRules): URL {
  const refuse = (why: string): never => {
    throw new AuthError('ERR_AUTH_UNSAFE', `${capital(what)} cannot be used: ${why}.`);
  };
  const url = text.length <= MAX_URL_LENGTH ? URL.parse(text) : null;
  if (url === null) return refuse('it is no URL');
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return refuse(`${quoted(url.protocol)} is neither https: nor http:`);
  if (url.username !== '' || url.password !== '') return refuse('it holds a user name or password');
  const isHere = isThisMachine(url.hostname);
  if (isHere && !isLocal)
    return refuse(`it points to this machine (${url.host}), but the service is somewhere else`);
  if (url.protocol === 'http:' && !isHere && !allowHttp) return refuse(`${url.origin} is not encrypted`);
  return url;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
