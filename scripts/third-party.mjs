// The licences of what was bundled: most of them ask to be passed on with every copy, and a bundle loses the files they stand in.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param {string} root
 * @param {readonly import('esbuild').Metafile[]} metafiles
 */
export function licensesOf(root, metafiles) {
  const files = metafiles.flatMap(({ inputs }) => Object.keys(inputs));
  const folders = files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  const texts = [...new Set(folders.sort())].map((folder) => textOf(join(root, folder)));
  return `mcp-bridge contains these packages.\n\n${[...new Set(texts)].join('\n')}`;
}

function textOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.|-mit|$)/i.test(entry));
  const text =
    file === undefined ? `${license ?? 'no licence is named'}\n` : readFileSync(join(folder, file), 'utf8');
  return `${'-'.repeat(70)}\n${name} ${version} (${license})\n${'-'.repeat(70)}\n\n${text.trim()}\n`;
}
