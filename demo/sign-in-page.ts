// The pages of the demo's authorisation server: who are you, and may this program in. Owns the interaction between a person and
// the server; no password, because there is nothing to protect.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InteractionDetails, Provider } from 'oidc-provider';

const maxFormBytes = 4096;

export interface SignInPageOptions {
  readonly provider: Provider;
  /** The resource that is asked for where a client names none. */
  readonly defaultResource: string | undefined;
  /** Lets this person in without asking, as a remembered session would. */
  readonly autoApprove: string | undefined;
}

/** Serves `/interaction/<uid>`, whatever the method. */
export async function serveSignInPage(
  options: SignInPageOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { provider, autoApprove } = options;
  let details: InteractionDetails;
  try {
    details = await provider.interactionDetails(request, response);
  } catch {
    return send(response, 400, page('Start again', '<p>This sign-in is over. Begin it again.</p>'));
  }
  if (autoApprove !== undefined) return approve(options, details, autoApprove, request, response);
  if (request.method !== 'POST') {
    const client = await provider.Client.find(textOf(details.params['client_id']));
    const program = client?.clientName ?? textOf(details.params['client_id']);
    return send(response, 200, page('Sign in', form(program, textOf(details.params['scope']))));
  }
  const fields = await readForm(request);
  if (fields.get('answer') === 'allow')
    return approve(options, details, fields.get('name') || 'somebody', request, response);
  const refusal = { error: 'access_denied', error_description: 'The person said no.' };
  return provider.interactionFinished(request, response, refusal);
}

async function approve(
  { provider, defaultResource }: SignInPageOptions,
  { params }: InteractionDetails,
  accountId: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const grant = new provider.Grant({ accountId, clientId: textOf(params['client_id']) });
  const scope = textOf(params['scope']);
  grant.addOIDCScope(scope);
  const resource = typeof params['resource'] === 'string' ? params['resource'] : defaultResource;
  if (resource !== undefined) grant.addResourceScope(resource, scope);
  const grantId = await grant.save();
  await provider.interactionFinished(request, response, { login: { accountId }, consent: { grantId } });
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of request as AsyncIterable<Buffer>) {
    text += chunk.toString();
    if (text.length > maxFormBytes) break;
  }
  return new URLSearchParams(text);
}

function form(program: string, scope: string): string {
  return `<p><b>${escaped(program)}</b> asks for <b>${escaped(scope || 'access')}</b>.</p>
<form method="post">
  <label>Your name <input name="name" value="ada" autofocus></label>
  <button name="answer" value="allow">Sign in and allow</button>
  <button name="answer" value="deny" class="plain">No</button>
</form>`;
}

export function page(title: string, content: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(title)}</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 26rem; margin: 15vh auto; padding: 0 1rem }
  input, button { font: inherit; padding: .5rem .8rem; margin: .3rem 0; border-radius: .4rem; border: 1px solid #8888 }
  label, input, button { display: block; box-sizing: border-box; width: 100% }
  button { background: #2457d6; color: #fff; border: 0 } .plain { background: none; color: inherit }
</style><h1>${escaped(title)}</h1>${content}</html>`;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (letter) => `&#${letter.codePointAt(0)};`);
}

function send(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  response.end(html);
}
