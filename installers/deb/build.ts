// The package for Debian and Ubuntu (amd64). Made with dpkg-deb alone: nothing is compiled, so a source package would only copy.
import {
  chmodSync,
  mkdirSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { sourceDate } from '../archive.ts';
import { makeImage } from '../image.ts';
import { manifest, root } from '../platforms.ts';
import { runTool } from '../run-tool.ts';

const { name, version, description } = manifest;
const maintainer = 'mcp-bridge contributors <mcp-bridge@users.noreply.github.com>';

/** What Node.js 26 needs of the system: `objdump -p` names the libraries, `objdump -T` the versions. */
const depends = 'libatomic1, libc6 (>= 2.28), libgcc-s1 (>= 3.4), libstdc++6 (>= 6)';

export function buildDeb(stage: string, target: string): void {
  const tree = join(stage, 'deb');
  const own = join(root, 'installers/deb/debian');
  rmSync(tree, { recursive: true, force: true });
  const write = (path: string, content: string | Uint8Array, mode = 0o644): void => {
    mkdirSync(dirname(join(tree, path)), { recursive: true, mode: 0o755 });
    writeFileSync(join(tree, path), content);
    chmodSync(join(tree, path), mode);
  };

  makeImage('linux-x64', join(tree, 'usr/lib', name));
  // These stand in /usr/share/doc.
  for (const file of ['LICENSE', 'CHANGELOG.md']) rmSync(join(tree, 'usr/lib', name, file));
  mkdirSync(join(tree, 'usr/bin'), { mode: 0o755 });
  symlinkSync(`../lib/${name}/mcp-bridge`, join(tree, 'usr/bin/mcp-bridge'));
  const doc = `usr/share/doc/${name}`;
  write(`${doc}/copyright`, copyright());
  write(`${doc}/changelog.gz`, gzip(changelog()));
  write(`${doc}/NEWS.md.gz`, gzip(readFileSync(join(root, 'CHANGELOG.md'), 'utf8')));
  const manual = readFileSync(join(own, 'mcp-bridge.1'), 'utf8').replace('@VERSION@', version);
  write('usr/share/man/man1/mcp-bridge.1.gz', gzip(manual));
  write(`usr/share/lintian/overrides/${name}`, readFileSync(join(own, 'overrides')));
  write('DEBIAN/md5sums', md5sums(tree));
  write('DEBIAN/control', control(tree));
  for (const script of ['prerm', 'postrm']) write(`DEBIAN/${script}`, readFileSync(join(own, script)), 0o755);

  // Level 1 of xz: a higher one takes five times as long, and saves a sixth.
  const options = ['--root-owner-group', '-Zxz', '-z1', '--build'];
  const env = { ...process.env, SOURCE_DATE_EPOCH: sourceDate() };
  runTool('dpkg', 'dpkg-deb', [...options, tree, join(target, `${name}_${version}_amd64.deb`)], { env });
}

function control(tree: string): string {
  const kilobytes = filesBelow(tree).reduce(
    (sum, path) => sum + Math.ceil(statSync(join(tree, path)).size / 1024),
    0,
  );
  return `Package: ${name}
Version: ${version}
Architecture: amd64
Maintainer: ${maintainer}
Installed-Size: ${kilobytes}
Depends: ${depends}
Recommends: libsecret-1-0
Section: net
Priority: optional
Description: hosted MCP services for clients that speak stdio
 ${description.replaceAll(/(.{1,72})(?: |$)/g, '$1\n ').trimEnd()}
 .
 This package brings the Node.js that it runs on. With libsecret, sign-ins are
 kept in the keychain of the desktop.
`;
}

/** Each file of the package with its sum, for `dpkg --verify`. */
function md5sums(tree: string): string {
  const sum = (path: string): string =>
    createHash('md5')
      .update(readFileSync(join(tree, path)))
      .digest('hex');
  return filesBelow(tree)
    .map((path) => `${sum(path)}  ${path}\n`)
    .join('');
}

/** Without the links, and without what dpkg reads itself. */
function filesBelow(tree: string): string[] {
  return readdirSync(tree, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.startsWith('DEBIAN') && lstatSync(join(tree, path)).isFile())
    .sort();
}

function copyright(): string {
  const license = readFileSync(join(root, 'LICENSE'), 'utf8');
  const [, years, text] = /^MIT License\n+Copyright \(c\) ([^\n]+)\n+([\s\S]+)$/.exec(license) ?? [];
  if (years === undefined || text === undefined) throw new Error('LICENSE is not what copyright() expects.');
  const app = `/usr/lib/${name}`;
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ${name}
Comment:
 Licences of what is bundled into the program: ${app}/dist/app/third-party-licenses.txt

Files: *
Copyright: ${years}
License: Expat
${inField(text)}

Files: usr/lib/${name}/node_modules/keytar/*
Copyright: 2013 GitHub Inc.
License: Expat

Files: usr/lib/${name}/runtime/node
Copyright: Node.js contributors, and the authors of what is built into it
License: node
 It lies beside the program, as it is published: ${app}/runtime/LICENSE
`;
}

function inField(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, ' ').replaceAll(/^\s*$/gm, ' .');
}

function changelog(): string {
  const date = new Date(Number(sourceDate()) * 1000).toUTCString().replace('GMT', '+0000');
  return `${name} (${version}) unstable; urgency=medium\n\n  * See NEWS.md.gz beside this file.\n\n -- ${maintainer}  ${date}\n`;
}

/** The same bytes for the same text: no time, no name inside. */
function gzip(text: string): Uint8Array {
  return gzipSync(text, { level: 9 });
}
