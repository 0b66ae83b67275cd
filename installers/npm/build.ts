// The npm package: what `npm pack` makes of this repository.
import { runTool } from '../run-tool.ts';
import { root } from '../platforms.ts';

export function buildNpm(target: string): void {
  runTool('npm', 'npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', target], {
    cwd: root,
  });
}
