// The platforms that packages are made for, and the version that they carry. What the repository says of both stands here once.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..');

export type Platform = 'darwin-arm64' | 'darwin-x64' | 'linux-arm64' | 'linux-x64' | 'win32-x64';

interface Runtime {
  /** The npm package that brings the official binary of Node.js for each platform. */
  readonly runtimes: Readonly<Record<Platform, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

const runtime = readJson('installers/runtime/package.json') as Runtime;

export const PLATFORMS = Object.keys(runtime.runtimes) as readonly Platform[];

export function isPlatform(name: string): name is Platform {
  return Object.hasOwn(runtime.runtimes, name);
}

export function isWindows(platform: Platform): boolean {
  return platform === 'win32-x64';
}

export function nodePackageOf(platform: Platform): { readonly name: string; readonly version: string } {
  const name = runtime.runtimes[platform];
  const version = runtime.optionalDependencies[name];
  if (version === undefined) throw new Error(`installers/runtime/package.json pins no version of ${name}.`);
  return { name, version };
}

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly keywords: readonly string[];
}

export const manifest = readJson('package.json') as Manifest;

export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}
