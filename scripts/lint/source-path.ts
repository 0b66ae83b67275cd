// Where a linted file lies within the project, in the form that the rules speak: below src/, with `/`.
import { relative, resolve, sep } from 'node:path';

/** The path below `<root>/src/`, or undefined for a file that lies elsewhere. */
export function pathInSource(file: string, root: string): string | undefined {
  const path = relative(resolve(root, 'src'), file).split(sep).join('/');
  return path.startsWith('../') || path === '' ? undefined : path;
}
