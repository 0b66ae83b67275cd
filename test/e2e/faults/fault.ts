// What a row of the fault matrix is: how the fault begins and ends, and what it leaves possible.
import type { Tool } from '../../support/needs.ts';
import type { World } from './world.ts';

export type Load = 'idle' | 'one read' | 'one write' | '50 mixed' | 'streaming';

export const LOADS: readonly Load[] = ['idle', 'one read', 'one write', '50 mixed', 'streaming'];

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

export interface Fault {
  readonly name: string;
  /** The requirements that its row shows. */
  readonly ids: string;
  /** What of the machine it needs. */
  readonly needs?: readonly Tool[];
  open(load: Load): Promise<World>;
  /** It is there before the bridge is, so no stream can be open before it ends. */
  readonly isAtLaunch?: boolean;
  /** Begins it. `keys` are of the requests that are to meet it, and may be added just after the call. */
  strike(world: World, keys: Set<string>, load: Load): void | Promise<void>;
  /** `before`: the requests run at the service when it strikes; `during`: they are sent while it lasts. */
  readonly sends: 'before' | 'during';
  /** How long it lasts until `heal`; faults that meet each request once need neither. */
  readonly lastsMs?: number;
  heal?(world: World): void | Promise<void>;
  /** Whether the bridge can know that a request that met it did not run. */
  readonly mayHaveRun: boolean;
  /** The same of a call whose answer was streaming; false where the stream goes on or can be resumed. */
  readonly streamMayHaveRun: boolean;
  /** `initialize` requests that the service executes from launch to end. */
  handshakes(load: Load): Bounds;
  /** From the end of the fault (or from when it was sent, where it has none) to the reply, in milliseconds. */
  readonly replyMs: Bounds;
  /** It is nothing to requests: `replyMs` counts from when they were sent. */
  readonly isBeside?: boolean;
  /** The same for a write whose outcome stays unknown. */
  readonly unknownMs?: Bounds;
  /** How soon a new request is answered after the end of it, in milliseconds. */
  readonly newRequestMs: number;
}

export const exactly = (count: number): Bounds => ({ min: count, max: count });
/** Before a fault has ended is early enough too. */
export const upTo = (max: number): Bounds => ({ min: -Infinity, max });
