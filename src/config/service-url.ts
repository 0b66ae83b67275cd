// The URL of a service: what can be used as one, and what is safe to.

import { isThisMachine } from '../platform/network/network.ts';
import { ConfigError } from './config-file.ts';

/** @throws ConfigError */
export function parseUrl(text: string): URL {
  if (!URL.canParse(text))
    throw new ConfigError(`"${text}" is not a URL. Give one like https://example.com/mcp.`);
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw new ConfigError(
      'The URL holds a user name or password, which would end up in logs. Use --header instead.',
    );
  }
  url.hash = '';
  return url;
}

/** @throws ConfigError where what is sent there would not be encrypted */
export function checkScheme(url: URL, allowHttp: boolean): void {
  if (url.protocol === 'https:') return;
  if (url.protocol !== 'http:')
    throw new ConfigError(`The URL begins with "${url.protocol}//", but only https:// can be used.`);
  if (allowHttp || isThisMachine(url.hostname)) return;
  throw new ConfigError(
    `${url.origin} is not encrypted: everything sent there, tokens included, could be read and changed on the way. ` +
      'Use https://, or give --allow-http if you accept that.',
  );
}
