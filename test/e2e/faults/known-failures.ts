// Cells of the matrix that fail because of the bridge, with the reason. One that is listed and never fails makes the run
// fail, so that nothing stays here by mistake; one that fails now and then is run all the same, and says so.
import type { Load } from './fault.ts';

export interface KnownFailure {
  readonly fault: string;
  readonly loads: readonly Load[];
  readonly often: 'always' | 'sometimes';
  readonly why: string;
}

export const knownFailures: readonly KnownFailure[] = [];
