// What the SDK-built service of the tests can do: count, talk while it works, lose its stream on the way, wait, ask.
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { InitializeRequestSchema, LATEST_PROTOCOL_VERSION } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { pause } from './scope.ts';
import type { SdkService } from './sdk-server.ts';

export function registerTools(server: McpServer, service: SdkService): void {
  const ran = (name: string) => (service.executions[name] = (service.executions[name] ?? 0) + 1);
  const text = (value: unknown) => ({ content: [{ type: 'text' as const, text: String(value) }] });

  server.registerTool('add', { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => {
    ran('add');
    return text(a + b);
  });

  // Sends `steps` numbered log messages, and loses the stream of its own call after each step named in `loseAfter`.
  const loss = z.enum(['closed by the server', 'cut by the network']);
  const inputSchema = { steps: z.number(), loseAfter: z.array(z.number()).default([]), loss: loss.optional() };
  server.registerTool('recite', { inputSchema }, async ({ steps, loseAfter, loss: kind }, extra) => {
    const run = ran('recite');
    for (let step = 1; step <= steps; step += 1) {
      await extra.sendNotification({
        method: 'notifications/message',
        params: { level: 'info', logger: `run ${run}`, data: step },
      });
      if (!loseAfter.includes(step)) continue;
      // What was written goes out first; then the stream ends in the way asked for, and the work goes on meanwhile.
      await pause(20);
      if (kind === 'closed by the server') extra.closeSSEStream?.();
      else service.cutRequest(extra.requestId);
    }
    return text(`run ${run} recited ${steps}`);
  });

  server.registerTool('wait', { inputSchema: { ms: z.number() } }, async ({ ms }, { signal }) => {
    ran('wait');
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        service.cancelled.push('wait');
        resolve();
      });
    });
    return text('waited');
  });

  // Asks the client for roots, either in the stream of this call or in the stream that belongs to the server.
  server.registerTool('ask', { inputSchema: { onOwnStream: z.boolean() } }, async ({ onOwnStream }, extra) => {
    ran('ask');
    const answer = z.looseObject({ roots: z.array(z.looseObject({ uri: z.string() })) });
    const request = { method: 'roots/list' as const };
    const { roots } = onOwnStream ? await server.server.listRoots() : await extra.sendRequest(request, answer);
    return text(roots.map(({ uri }) => uri).join(' '));
  });

  server.registerTool('announce', { inputSchema: {} }, async () => {
    ran('announce');
    await server.server.sendToolListChanged();
    return text('announced');
  });

  const { revision } = service.shape;
  if (revision === undefined) return;
  server.server.setRequestHandler(InitializeRequestSchema, () => ({
    protocolVersion: revision ?? LATEST_PROTOCOL_VERSION,
    capabilities: { tools: {} },
    serverInfo: { name: 'sdk-service', version: '1.0.0' },
  }));
}
