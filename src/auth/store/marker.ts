// A small file beside each record that says where the record lies. A locked keychain looks like an empty one, and asking it may
// open a window; so it is asked only where the marker says that it holds something.

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'atomically';
import type { RecordFiles } from './places.ts';

export interface Marker {
  /** The service, for people who look into the file. */
  readonly key: string;
  readonly place: 'keychain' | 'file';
  readonly kind: 'oauth' | 'token';
  /** Milliseconds since 1970; another one is another sign-in. A refresh leaves it as it is. */
  readonly signedInAt: number;
  /** Set once the authorization server has refused it for good: there is no use in asking again. */
  readonly isRefused?: boolean;
  /** What the service has asked for beyond what was granted, for the next sign-in. */
  readonly wantedScope?: string;
}

const WRITE_LIMIT_MS = 2000;

/**
 * Undefined where there is none, or what is no marker.
 * @throws Error where it cannot be read, which does not tell whether there is one
 */
export function readMarker({ marker }: RecordFiles): Marker | undefined {
  let text: string;
  try {
    text = readFileSync(marker, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return parseMarker(text);
}

function parseMarker(text: string): Marker | undefined {
  try {
    const found = JSON.parse(text) as Partial<Record<keyof Marker, unknown>>;
    const { key, place, kind, signedInAt, isRefused, wantedScope } = found;
    if (typeof key !== 'string' || (place !== 'keychain' && place !== 'file')) return undefined;
    return {
      key,
      place,
      kind: kind === 'token' ? kind : 'oauth',
      signedInAt: typeof signedInAt === 'number' ? signedInAt : 0,
      ...(isRefused === true ? { isRefused } : undefined),
      ...(typeof wantedScope === 'string' ? { wantedScope } : undefined),
    };
  } catch {
    return undefined;
  }
}

/** @throws Error where it cannot be written */
export async function writeMarker({ marker, markerDir }: RecordFiles, content: Marker): Promise<void> {
  mkdirSync(markerDir, { recursive: true, mode: 0o700 });
  await writeFile(marker, JSON.stringify(content), { mode: 0o600, timeout: WRITE_LIMIT_MS });
}

/**
 * What a page was opened for goes too: nobody is signed in then, as when it was, but it is another want.
 * @throws Error where it is there and cannot be removed
 */
export function removeMarker({ marker, asked }: RecordFiles): void {
  rmSync(asked, { force: true });
  rmSync(marker, { force: true });
}
