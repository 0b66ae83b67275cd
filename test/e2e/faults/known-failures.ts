// What fails because of the bridge, with the reason. The numbered ones are tests beside the matrix, marked `test.fails`:
//   2. TLS failures on a session that is READY are not noticed as an outage: time-limits.test.ts.
//   3. Going IDLE leaves a socket open until it times out by itself: session-life.test.ts.
//   4. A per-request handshake and its request use two connections: time-limits.test.ts.
// The table is of the cells of the matrix. One that is listed and never fails makes the run
// fail, so that nothing stays here by mistake; one that fails now and then is run all the same, and says so.
import type { Load } from './fault.ts';

export interface KnownFailure {
  readonly fault: string;
  readonly loads: readonly Load[];
  readonly often: 'always' | 'sometimes';
  readonly why: string;
}

export const knownFailures: readonly KnownFailure[] = [
  {
    fault: 'TLS failure',
    loads: ['streaming'],
    often: 'always',
    // Number 1.
    why: 'A stream whose resumption meets a TLS error counts as not sent, so the call is made again although it ran.',
  },
  {
    fault: 'sessions that vanish every 150 ms',
    loads: ['50 mixed'],
    often: 'sometimes',
    why: 'A request that loses its session in three tries is given up, though the service has refused each.',
  },
];
