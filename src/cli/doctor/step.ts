// One step of the doctor's walk, and what came of it.

import type { LostEntry } from './client-config.ts';

export const STEPS = [
  'config',
  'DNS',
  'TCP',
  'TLS',
  'HTTP',
  'handshake',
  'session reuse',
  'sign-in',
  'client config',
] as const;
export type StepName = (typeof STEPS)[number];

export type Verdict =
  | { readonly kind: 'ok'; readonly detail: string }
  /** It works, but something is better changed. */
  | { readonly kind: 'warning'; readonly detail: string; readonly remedy: string }
  | { readonly kind: 'failed'; readonly detail: string; readonly remedy: string }
  /** There is nothing to look at, or a step before has failed. */
  | { readonly kind: 'skipped'; readonly detail: string };

export type StepResult = Verdict & { readonly step: StepName; readonly ms: number };

export interface Examination {
  /** As it was asked for. */
  readonly target: string;
  readonly url: string | null;
  readonly steps: readonly StepResult[];
  /** Entries of set-up's that clients have lost. */
  readonly lost: readonly LostEntry[];
}

export const ok = (detail: string): Verdict => ({ kind: 'ok', detail });
export const warning = (detail: string, remedy: string): Verdict => ({ kind: 'warning', detail, remedy });
export const failed = (detail: string, remedy: string): Verdict => ({ kind: 'failed', detail, remedy });
export const skipped = (detail: string): Verdict => ({ kind: 'skipped', detail });
