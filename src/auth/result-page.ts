// The page that the browser shows at the end: one sentence of what happened, and what to do now. Loads nothing, runs nothing, and
// every word from outside is escaped.

import { createHash } from 'node:crypto';

export interface ResultPage {
  readonly kind: 'success' | 'failure';
  readonly title: string;
  readonly text: string;
  /** What to do now. */
  readonly advice: string;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --paper: #f4f6f9; --card: #fff; --line: #dfe4ea; --good: #15803d; --bad: #b42318 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ecf1; --soft: #9aa6b4; --paper: #12161c; --card: #1b2129; --line: #2c3540; --good: #4ade80; --bad: #f97066 }
}
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", sans-serif }
main { width: 100%; max-width: 27rem; padding: 2.5rem 2.25rem; background: var(--card); border: 1px solid var(--line); border-radius: 1rem; box-shadow: 0 1px 2px #0000000d, 0 12px 32px #00000014; text-align: center }
svg { width: 3.5rem; height: 3.5rem; fill: none; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round }
.success svg { stroke: var(--good) }
.failure svg { stroke: var(--bad) }
h1 { margin: 1.25rem 0 .5rem; font-size: 1.45rem; line-height: 1.3 }
p { margin: .5rem 0 0; overflow-wrap: anywhere; text-wrap: balance }
.advice { color: var(--soft) }
footer { margin-top: 2rem; padding-top: 1.25rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .85rem }
`;

const MARKS = {
  success: '<circle cx="12" cy="12" r="10"/><path d="m7.5 12.5 3 3 6-6.5"/>',
  failure: '<circle cx="12" cy="12" r="10"/><path d="M12 7v6m0 3.5v.01"/>',
} as const;

const policy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** What goes with every answer of the loopback address. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': policy,
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  connection: 'close',
};

export function renderResultPage({ kind, title, text, advice }: ResultPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} · mcp-bridge</title>
<style>${STYLE}</style>
</head>
<body>
<main class="${kind}">
<svg viewBox="0 0 24 24" aria-hidden="true">${MARKS[kind]}</svg>
<h1>${escaped(title)}</h1>
<p>${escaped(text)}</p>
<p class="advice">${escaped(advice)}</p>
<footer>mcp-bridge</footer>
</main>
</body>
</html>
`;
}

export function escaped(text: string): string {
  return text.replaceAll(/[&<>"'`]/g, (letter) => `&#${letter.codePointAt(0)};`);
}
