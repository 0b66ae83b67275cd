// Opening the person's browser. The URL comes from a stranger: only http(s) is opened, no shell sees it, and what could mean
// anything to a program that it passes through is percent-encoded first.

import open from 'open';

/** Letters that a URL needs and that mean nothing to any shell when they stand in quotes; `%` and `&` are needed. */
const UNSAFE = /[^\w\-.~:/?#@&+,=%[\]]/g;
const MAX_LENGTH = 16_384;

/** How the URL is handed over; undefined where it is not to be opened. Pure. */
export function browserUrl(url: URL): string | undefined {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  if (url.username !== '' || url.password !== '') return undefined;
  const text = url.href.replaceAll(
    UNSAFE,
    (letter) =>
      `%${Buffer.from(letter)
        .toString('hex')
        .toUpperCase()
        .replaceAll(/(..)(?=.)/g, '$1%')}`,
  );
  return text.length <= MAX_LENGTH ? text : undefined;
}

/** Whether somebody took the URL; whether a page shows is not to be known. Never rejects. */
export async function openBrowser(url: URL): Promise<boolean> {
  const text = browserUrl(url);
  if (text === undefined) return false;
  try {
    const child = await open(text);
    child.on('error', () => {});
    return true;
  } catch {
    return false;
  }
}
