// What a client is served when the service is away and nothing is known of it: an empty server, with one tool that says what
// is wrong. It heals by itself: once the service is there, the client is told that every list has changed.

import type { Envelope } from '../protocol/envelope.ts';
import type { Connectivity } from '../policy/connectivity.ts';
import { ERROR_KINDS, type Failure } from '../protocol/errors.ts';

declare const __VERSION__: string;

const STATUS_TOOL = {
  name: 'mcp_bridge_status',
  title: 'Connection status',
  description: 'Says whether the hosted service is connected, and if not, why and what to do.',
  inputSchema: { type: 'object', properties: {} },
  annotations: { readOnlyHint: true },
} as const;

/** The revision where a client names none that can be read. */
const FALLBACK_REVISION = '2025-11-25';

/** The result of `initialize`. It takes the revision that the client asked for, as there is nobody to negotiate with. */
export function standInInitialize(initialize: Envelope, serviceHost: string): string {
  const { params } = JSON.parse(initialize.bytes.toString('utf8')) as {
    params?: { protocolVersion?: unknown };
  };
  const asked = params?.protocolVersion;
  const listChanged = true;
  return JSON.stringify({
    protocolVersion: typeof asked === 'string' ? asked : FALLBACK_REVISION,
    capabilities: { tools: { listChanged }, prompts: { listChanged }, resources: { listChanged } },
    serverInfo: { name: 'mcp-bridge', version: __VERSION__ },
    instructions: `${serviceHost} cannot be reached at the moment. Its tools appear by themselves as soon as it can.`,
  });
}

/** The result of a list request; undefined for other methods. */
export function standInList(method: string): string | undefined {
  switch (method) {
    case 'tools/list':
      return JSON.stringify({ tools: [STATUS_TOOL] });
    case 'prompts/list':
      return '{"prompts":[]}';
    case 'resources/list':
      return '{"resources":[]}';
    case 'resources/templates/list':
      return '{"resourceTemplates":[]}';
    default:
      return undefined;
  }
}

export function isStatusCall(request: Envelope): boolean {
  return request.method === 'tools/call' && request.name === STATUS_TOOL.name;
}

/**
 * The result of calling the status tool.
 * @param failure what keeps the service away, in the words for this call
 */
export function statusResult(state: Connectivity, serviceHost: string, failure?: Failure): string {
  return JSON.stringify({
    content: [{ type: 'text', text: describe(state, serviceHost, failure) }],
    isError: state.kind !== 'READY',
  });
}

function describe(state: Connectivity, host: string, failure?: Failure): string {
  switch (state.kind) {
    case 'READY':
      return `${host} is connected. If its tools are not listed yet, list the tools again.`;
    case 'TRANSIENT_FAILURE': {
      const { message, code, remedy = ERROR_KINDS[code].remedy } = failure ?? state.outage.failure;
      const next = state.retryAt === null ? remedy : 'It is tried again by itself.';
      return `${host} is not connected. ${message} ${next}`;
    }
    case 'CONNECTING':
      return `${host} is being connected.${state.outage === undefined ? '' : ` The last try failed: ${state.outage.failure.message}`}`;
    case 'IDLE':
      return `${host} is not connected; the next request connects it.`;
    case 'SHUTDOWN':
      return 'The bridge is stopping.';
  }
}
