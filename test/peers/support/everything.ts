// Starts the reference server of the MCP project, `@modelcontextprotocol/server-everything`, over either transport.
// It listens on a socket path of ours; recording proxies put it on free loopback ports.
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { join } from 'node:path';
import { temporaryFolder } from './bridge.ts';
import { startChild } from './child.ts';
import { RecordingProxy } from './recording-proxy.ts';
import { pause, type Scope } from './scope.ts';

/** Its own names for its transports, and the path that each serves. */
export const everythingTransports = [
  { transport: 'streamableHttp', path: '/mcp', name: 'Streamable HTTP' },
  { transport: 'sse', path: '/sse', name: 'legacy HTTP+SSE' },
] as const;

export type EverythingTransport = (typeof everythingTransports)[number]['transport'];

export interface Everything {
  /** A new way in, with its own record; it lasts as long as the server unless a shorter scope is given. */
  proxy(within?: Scope): Promise<RecordingProxy>;
}

// The server itself stays when its parent is gone; its stdin, which closes with us, tells it.
const exitWithParent = 'data:text/javascript,process.stdin.resume().on("end",()=>process.exit())';

export async function startEverything(scope: Scope, transport: EverythingTransport): Promise<Everything> {
  const folder = temporaryFolder(scope);
  const socketPath =
    process.platform === 'win32'
      ? `\\\\.\\pipe\\${process.pid}-${transport}`
      : join(folder, 'everything.sock');
  const require = createRequire(import.meta.url);
  const entry = require.resolve('@modelcontextprotocol/server-everything/dist/index.js');
  const child = startChild(scope, {
    command: process.execPath,
    args: ['--import', exitWithParent, entry, transport],
    env: { PATH: process.env['PATH'] ?? '', PORT: socketPath },
  });
  child.process.stdout.resume();

  for (let waitedMs = 0; !(await accepts(socketPath)); waitedMs += 20) {
    if (child.process.exitCode !== null || waitedMs > 20_000)
      throw new Error(`The ${transport} reference server did not start: ${child.stderr()}`);
    await pause(20);
  }
  return { proxy: (within = scope) => RecordingProxy.start(within, socketPath) };
}

function accepts(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
