// A browser as far as a sign-in needs one: follows redirects, keeps cookies, and answers the demo's sign-in page.

export interface SignInAnswer {
  readonly name?: string;
  readonly answer?: 'allow' | 'deny';
}

const MAX_STEPS = 20;

/**
 * Goes to this URL and through whatever comes, until a page that is not the sign-in page. `stopAt` ends it before a URL is
 * asked for, and returns that.
 */
export async function browse(
  url: string,
  { name = 'ada', answer = 'allow' }: SignInAnswer = {},
  stopAt: (url: URL) => boolean = () => false,
  fetch: (url: URL, init: RequestInit) => Promise<Response> = globalThis.fetch,
): Promise<{ url: URL; status: number; text: string }> {
  const cookies = new Map<string, string>();
  let next: { url: URL; form?: URLSearchParams } = { url: new URL(url) };
  for (let step = 0; step < MAX_STEPS; step += 1) {
    if (stopAt(next.url)) return { url: next.url, status: 0, text: '' };
    const response = await fetch(next.url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join('; ') },
      ...(next.form === undefined ? {} : { method: 'POST', body: next.form }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, key = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === '') cookies.delete(key);
      else cookies.set(key, value);
    }
    const text = await response.text();
    const location = response.headers.get('location');
    if (location !== null) next = { url: new URL(location, next.url) };
    else if (text.includes('name="answer"') && next.form === undefined)
      next = { url: next.url, form: new URLSearchParams({ name, answer }) };
    else if (text.includes('name="xsrf"')) next = { url: actionOf(text, next.url), form: hiddenFields(text) };
    else return { url: next.url, status: response.status, text };
  }
  throw new Error(`More than ${MAX_STEPS} steps from ${url}`);
}

function actionOf(html: string, base: URL): URL {
  return new URL(/action="([^"]+)"/.exec(html)?.[1] ?? '', base);
}

function hiddenFields(html: string): URLSearchParams {
  const fields = new URLSearchParams();
  for (const [tag] of html.matchAll(/<input[^>]+>/g)) {
    const name = /name="([^"]+)"/.exec(tag)?.[1];
    if (name !== undefined) fields.set(name, /value="([^"]*)"/.exec(tag)?.[1] ?? '');
  }
  return fields;
}
