// One upstream session and the clients that share it: who hears what the service says outside of calls, who is asked when the
// service asks, and what is undone when one of them leaves. The session's own life is Session's.

import { unlessAborted, type Clock } from '../platform/clock.ts';
import { Abort, abortSignalOf, type Signal } from '../platform/abort.ts';
import type { Rng } from '../platform/random.ts';
import type { Profile } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';
import type { AttemptOutcome } from '../policy/attempt.ts';
import type { Connectivity } from '../policy/connectivity.ts';
import type { BridgeEvent, Observer } from '../observe/events.ts';
import { idText, stringAt, type Envelope } from '../protocol/envelope.ts';
import { errorReply } from '../protocol/errors.ts';
import type { ClientSink, MessageOrigin, Question } from '../upstream/call.ts';
import type { Credentials } from '../upstream/credentials.ts';
import type { Established } from '../upstream/handshake.ts';
import { SessionMemory } from '../upstream/memory.ts';
import type { SessionClient } from '../upstream/service-session.ts';
import { Session } from '../upstream/session.ts';
import { CommonWishes, type Ask } from './common-wishes.ts';
import { Member, type MemberHost, type Use } from './member.ts';
import type { Wishes } from './wishes.ts';

/** What undoing one thing for a client that has gone may take, in milliseconds. */
const UNDO_MS = 10_000;
/** How long calls in flight may go on when the session under them is replaced on request, in milliseconds. */
const DRAIN_MS = 5000;
/** What ending the replaced session may take, in milliseconds. */
const END_MS = 2000;

const NO_SESSION: AttemptOutcome = {
  kind: 'failed',
  progress: 'not-sent',
  failure: { code: 'ERR_SESSION_LOST', message: 'The session with the service is over.' },
};

/** One session of its own, and who still waits on it. */
class Tenure implements Use {
  readonly session: Session;
  callsInFlight = 0;
  lastOutcome: 'answered' | 'failed' | undefined;
  /** Called when the last call ends. */
  onQuiet = (): void => {};

  constructor(session: Session) {
    this.session = session;
  }
}

export interface SharedSessionOptions {
  readonly id: string;
  readonly profile: Profile;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly observer: Observer;
  /** Of the client that came first; what the service sees of all who share. */
  readonly initialize: Envelope;
  readonly credentials?: Credentials | undefined;
  /** Called when nobody uses it and nothing in it is worth keeping. */
  readonly onUseless: () => void;
}

export class SharedSession implements MemberHost {
  readonly id: string;
  /** Clock.wallTime(). */
  readonly createdAt: number;
  readonly #options: SharedSessionOptions;
  readonly #members = new Set<Member>();
  readonly #memory = new SessionMemory();
  readonly #wishes: CommonWishes;
  #tenure: Tenure;
  /** Counts the sessions that this one has had; what an earlier one still reports is not heard. */
  #generation = 0;
  #established: Established | undefined;
  /** The one that used it last; the service's questions go there. */
  #lastActive: Member | undefined;
  #lastUsedAt: number;
  #calls = 0;

  constructor(options: SharedSessionOptions) {
    this.#options = options;
    this.id = options.id;
    this.createdAt = options.clock.wallTime();
    this.#lastUsedAt = options.clock.now();
    this.#wishes = new CommonWishes({
      memory: this.#memory,
      askQuietly: (question) => this.#askQuietly(question),
    });
    this.#tenure = new Tenure(this.#open());
  }

  get session(): Session {
    return this.#tenure.session;
  }

  get profileName(): string {
    return this.#options.profile.name;
  }

  get size(): number {
    return this.#members.size;
  }

  get calls(): number {
    return this.#calls;
  }

  get callsInFlight(): number {
    return this.#tenure.callsInFlight;
  }

  /** Clock.now(). */
  get lastUsedAt(): number {
    return this.#lastUsedAt;
  }

  /** Lets one more client use it, who is told at once what the service has said of itself, where that is known. */
  join(client: SessionClient): Member {
    const wishes = this.#wishes.join();
    const member = new Member(this, client, wishes, this.#options.clock);
    this.#members.add(member);
    this.#touch();
    if (this.#established !== undefined) member.introduce(this.#established);
    return member;
  }

  // ── what its members do ───────────────────────────────────────────────────

  leave(member: Member): void {
    if (!this.#members.delete(member)) return;
    if (this.#lastActive === member) this.#lastActive = undefined;
    this.#touch();
    this.#wishes.leave(member.wishes);
    this.#letGo();
  }

  began(member: Member): Use {
    this.#calls += 1;
    this.#tenure.callsInFlight += 1;
    this.used(member);
    return this.#tenure;
  }

  ended(use: Use, outcome: AttemptOutcome): void {
    use.callsInFlight -= 1;
    this.#touch();
    if (!(use instanceof Tenure)) return;
    if (outcome.kind !== 'aborted') use.lastOutcome = outcome.kind;
    if (use.callsInFlight === 0) use.onQuiet();
  }

  used(member: Member): void {
    this.#lastActive = member;
    this.#touch();
  }

  change(wishes: Wishes, question: Question, signal: Signal, isPerRequest: boolean): Promise<AttemptOutcome> {
    const ask: Ask = isPerRequest
      ? (own, limit) => this.#askPerRequest(own, limit)
      : (own, limit) => this.#ask(own, limit);
    return this.#wishes.change({ wishes, question, signal, ask });
  }

  hearsLog(wishes: Wishes, message: Envelope): boolean {
    return this.#wishes.hears(wishes, message);
  }

  /** Tells all, but for one who knows, what holds for more than the call that it came with. */
  tellOthers(message: Envelope, origin: MessageOrigin, except?: Member): void {
    const isFor = this.#audience(message);
    for (const member of [...this.#members]) {
      if (member === except || !isFor(member.wishes)) continue;
      this.#guard(() => {
        if (!member.outlet.deliver(message, origin))
          this.#emit({ type: 'upstream.dropped', reason: 'a client is behind with reading' });
      });
    }
  }

  // ── what the pool does ────────────────────────────────────────────────────

  checkNow(reason: string): void {
    this.session.checkNow(reason);
  }

  /** Gives up the session at the service, whatever its state. Calls in flight get a moment to end; what comes next gets a new one. */
  reset(): void {
    const old = this.#tenure;
    this.#generation += 1;
    this.#emit({ type: 'session.state', state: 'IDLE', reason: 'reset on request' });
    this.#tenure = new Tenure(this.#open());
    void this.#retire(old);
    if (this.#members.size > 0) this.session.want();
    else this.#letGo();
  }

  close(signal: AbortSignal): Promise<void> {
    this.#members.clear();
    return this.session.close(signal);
  }

  // ── what the session does ─────────────────────────────────────────────────

  #open(): Session {
    const { initialize, profile, settings, clock, rng, credentials } = this.#options;
    const generation = this.#generation;
    const ifCurrent = (act: () => void): void => {
      if (generation === this.#generation) act();
    };
    const unsolicited: ClientSink = {
      deliver: (message, origin) => this.#fromService(message, origin),
      ready: () => this.#ready(),
    };
    return new Session({
      profile,
      settings,
      clock,
      rng,
      initialize,
      credentials,
      unsolicited,
      memory: this.#memory,
      observer: (event) => ifCurrent(() => this.#observe(event)),
      onEstablished: (established) => ifCurrent(() => this.#onEstablished(established)),
      onRejected: (answer) =>
        ifCurrent(() => {
          for (const member of [...this.#members]) this.#guard(() => member.client.onRejected(answer));
        }),
    });
  }

  #onEstablished(established: Established): void {
    this.#established = established;
    for (const member of [...this.#members]) this.#guard(() => member.introduce(established));
  }

  #observe(event: BridgeEvent): void {
    this.#emit(event);
    // After this event has been dealt with: the session is in the middle of its change.
    if (event.type === 'session.state' && this.#members.size === 0) queueMicrotask(() => this.#letGo());
  }

  /**
   * Without clients it is kept for the next launch, as long as there is a session to be found then. One that has failed last is
   * not: people launch a program anew to be rid of what was wrong.
   */
  #letGo(): void {
    if (this.#members.size > 0) return;
    if (!isWarm(this.session.state) || this.#tenure.lastOutcome === 'failed') this.#options.onUseless();
  }

  #fromService(message: Envelope, origin: MessageOrigin): void {
    if (message.kind !== 'request') {
      // Of a cancellation too: who was not asked has nothing to cancel.
      this.tellOthers(message, origin);
      return;
    }
    const members = [...this.#members].filter(({ outlet }) => !outlet.isHeldUp);
    const asked = members.find((member) => member === this.#lastActive) ?? members.at(-1);
    if (asked !== undefined) this.#guard(() => void asked.outlet.deliver(message, origin));
    else {
      const text = 'No client is there to answer.';
      const remedy = 'Ask again while a client is connected.';
      void origin.send(errorReply(idText(message), { code: 'ERR_BRIDGE_SHUTDOWN', message: text, remedy }));
    }
  }

  #audience(message: Envelope): (wishes: Wishes) => boolean {
    switch (message.method) {
      case 'notifications/message':
        return (wishes) => this.#wishes.hears(wishes, message);
      case 'notifications/resources/updated':
        return this.#wishes.audience(stringAt(message, message.spans.uri));
      default:
        return () => true;
    }
  }

  #ready(): Promise<void> | undefined {
    let behind: Promise<void>[] | undefined;
    for (const { outlet } of this.#members) {
      const waiting = outlet.ready();
      if (waiting !== undefined) (behind ??= []).push(waiting);
    }
    return behind === undefined ? undefined : Promise.all(behind).then(() => {});
  }

  /** Where the session has gone while a change waited for its turn, dispatch is told to try again. */
  #ask(question: Question, signal: Signal): Promise<AttemptOutcome> {
    const { session } = this;
    return session.state.kind === 'READY' ? session.call(question, signal) : Promise.resolve(NO_SESSION);
  }

  /** What is set on a session that lasts as long as one request is lost with it, so the one that lasts is told too. */
  async #askPerRequest(question: Question, signal: Signal): Promise<AttemptOutcome> {
    const outcome = await this.session.callPerRequest(question, signal);
    if (outcome.kind === 'answered' && !outcome.message.isError) await this.#askQuietly(question);
    return outcome;
  }

  async #askQuietly(question: Question): Promise<void> {
    const limit = new Abort();
    const timer = this.#options.clock.after(UNDO_MS, () => limit.abort({ kind: 'deadline' }));
    await this.#ask(question, limit);
    timer.cancel();
  }

  async #retire(old: Tenure): Promise<void> {
    const { clock } = this.#options;
    if (old.session.state.kind === 'READY' && old.callsInFlight > 0) {
      const limit = new Abort();
      const timer = clock.after(DRAIN_MS, () => limit.abort());
      await unlessAborted(new Promise<void>((resolve) => (old.onQuiet = resolve)), limit);
      timer.cancel();
    }
    const limit = new Abort();
    const timer = clock.after(END_MS, () => limit.abort());
    await old.session.close(abortSignalOf(limit));
    timer.cancel();
  }

  #touch(): void {
    this.#lastUsedAt = this.#options.clock.now();
  }

  #emit(event: BridgeEvent): void {
    this.#options.observer(event);
  }

  /** A fault at one client's end is not the others'. */
  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      const name = error instanceof Error ? error.name : 'something';
      this.#emit({ type: 'upstream.dropped', reason: `a client's end failed with ${name}` });
    }
  }
}

function isWarm(state: Connectivity): boolean {
  return state.kind === 'READY' || (state.kind === 'CONNECTING' && state.failures === 0);
}
