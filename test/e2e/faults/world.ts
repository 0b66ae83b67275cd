// One cell's own service and bridge, and what was sent through them. Everything ends with it.
import { expect } from 'vitest';
import { BridgeProcess, type LaunchOptions } from '../../support/bridge-process.ts';
import { ScriptedService, type ServiceOptions } from '../../support/scripted-service.ts';
import { expectCleanStdout, expectOneReplyEach } from '../../support/use.ts';
import { send, STREAM, type Kind, type SendOptions, type Sent } from './requests.ts';
import { streaming } from './streams.ts';

/** What a launch may take while many cells run at once, in milliseconds. */
const START_MS = 20_000;

/** A handshake that is not done by then may have been joined by another, in milliseconds. */
const JOINED_AFTER_MS = 1400;
/** Time limits that let a fault show within seconds; later ones of the same name win. */
const BASE_ARGS = [
  ...['--request-timeout-ms', '12000', '--tool-timeout-ms', '12000', '--initialize-timeout-ms', '3000'],
  ...['--connect-timeout-ms', '1000', '--outage-patience-ms', '8000'],
];

export interface WorldOptions {
  service?: Partial<ServiceOptions>;
  args?: readonly string[];
  launch?: Omit<LaunchOptions, 'args'>;
  /** Where the bridge connects to instead of the service itself. */
  target?: (service: ScriptedService) => Promise<{ url: string; close(): Promise<void> }>;
  /** Done before the bridge is launched. */
  prepare?: (service: ScriptedService) => Promise<void>;
  /** Without it, the client shakes hands and lists the tools. */
  isDown?: boolean;
  clientName?: string;
}

export class World implements AsyncDisposable {
  readonly service: ScriptedService;
  readonly bridge: BridgeProcess;
  readonly sent: Sent[] = [];
  readonly #release = Promise.withResolvers<void>();
  readonly #closeTarget: (() => Promise<void>) | undefined;

  private constructor(
    service: ScriptedService,
    bridge: BridgeProcess,
    closeTarget: (() => Promise<void>) | undefined,
  ) {
    this.service = service;
    this.bridge = bridge;
    this.#closeTarget = closeTarget;
  }

  static async open(options: WorldOptions = {}): Promise<World> {
    const service = await ScriptedService.start(options.service);
    let closeTarget: (() => Promise<void>) | undefined;
    try {
      await options.prepare?.(service);
      const target = await options.target?.(service);
      closeTarget = target?.close;
      const bridge = await BridgeProcess.launch(target?.url ?? service.url, {
        ...options.launch,
        args: [...BASE_ARGS, ...(options.args ?? [])],
      });
      const world = new World(service, bridge, closeTarget);
      try {
        await world.#greet(options);
      } catch (error) {
        await world[Symbol.asyncDispose]();
        throw error;
      }
      return world;
    } catch (error) {
      await closeTarget?.();
      await service.close();
      throw error;
    }
  }

  async #greet({ isDown = false, clientName = 'raw-client' }: WorldOptions): Promise<void> {
    const clientInfo = { name: clientName, version: '1.0.0' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
    await this.bridge.request('initialize', params, { timeoutMs: START_MS });
    this.bridge.notify('notifications/initialized');
    if (isDown) return;
    // From here on the bridge knows which tools may be called twice.
    const { result } = await this.bridge.request('tools/list', {}, { timeoutMs: START_MS });
    if (result === undefined) throw new Error('The tools could not be listed.');
    if (this.service.options.getStream) await this.service.until(() => this.service.openGetStreams > 0);
  }

  send(kind: Kind, options?: SendOptions): Sent {
    const sent = send(this.bridge, kind, options);
    this.sent.push(sent);
    return sent;
  }

  executions(request: Sent): number {
    return this.service.record.executions.get(request.key) ?? 0;
  }

  /** A read and a write whose answers stream. They end when `finishStreams` lets them. */
  sendStreams(): Sent[] {
    const isStream = ({ key }: { key: string | undefined }): boolean => key?.startsWith(STREAM) === true;
    this.service.always({ when: isStream }, streaming(this.#release.promise));
    return [this.send('read', { isStream: true }), this.send('write', { isStream: true })];
  }

  /** Resolves when the client has heard of the calls' first two steps. */
  async streamsAreOpen(streams: readonly Sent[]): Promise<void> {
    await this.bridge.until(() => streams.every((each) => this.progressOf(each).length === 2), 10_000);
  }

  finishStreams(): void {
    this.#release.resolve();
  }

  /**
   * The service listens on its port again. In the meantime another cell may have got that port for a connection of its
   * own, which soon ends.
   */
  async comeBack(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.service.comeBack();
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tries === 40) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** What the client heard of a call's progress, in order. */
  progressOf(request: Sent): unknown[] {
    return this.bridge.messages
      .filter(
        ({ method, params }) =>
          method === 'notifications/progress' && params?.['progressToken'] === request.id,
      )
      .map(({ params }) => params?.['progress']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.finishStreams();
    await this.bridge[Symbol.asyncDispose]();
    await this.#closeTarget?.();
    await this.service.close();
  }
}

/** A handshake that is silent for long, as on a busy machine, is joined by others. */
export function joined({ bridge }: World): number {
  const handshakes = [...bridge.log.matchAll(/session\.handshake .* (\d+) ms/g)];
  return 2 * handshakes.filter(([, ms]) => Number(ms) >= JOINED_AFTER_MS).length;
}

/** The bridge goes, cleanly, having answered each request once. */
export async function expectCleanEnd({ sent, bridge }: World): Promise<void> {
  const ids = sent.map(({ id }) => id);
  expectOneReplyEach(bridge, ids);
  const { code } = await bridge.close();
  expect(code).toBe(0);
  expectOneReplyEach(bridge, ids);
  expectCleanStdout(bridge);
}
