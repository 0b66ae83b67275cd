// The installer for Windows, made by NSIS, which runs on Linux too.
import { join } from 'node:path';
import { makeImage } from '../image.ts';
import { manifest, root } from '../platforms.ts';
import { runTool } from '../run-tool.ts';

export function buildSetup(stage: string, target: string): void {
  const image = join(stage, 'windows');
  makeImage('win32-x64', image);
  const defines = [
    `-DVERSION=${manifest.version}`,
    `-DIMAGE=${image}`,
    `-DOUTPUT=${join(target, 'mcp-bridge-setup.exe')}`,
  ];
  // -WX: a warning is a mistake in the script.
  runTool('nsis', 'makensis', ['-V2', '-WX', ...defines, join(root, 'installers/windows/setup.nsi')]);
}
