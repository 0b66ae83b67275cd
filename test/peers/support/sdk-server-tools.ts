// What the SDK-built service of the tests can do: count, talk while it works, lose its stream on the way, wait, ask.
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { InitializeRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { pause, until } from './scope.ts';
import type { SdkService } from './sdk-server.ts';

/** How a stream can end before its answer. */
export const losses = ['closed by the server', 'cut by the network'] as const;

export function registerTools(server: McpServer, service: SdkService): void {
  const ran = (name: string) => (service.executions[name] = (service.executions[name] ?? 0) + 1);
  const text = (value: unknown) => ({ content: [{ type: 'text' as const, text: String(value) }] });

  server.registerTool('add', { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => {
    ran('add');
    return text(a + b);
  });

  // Sends `steps` numbered log messages, and loses the stream of its own call as often after each step as `loseAfter`
  // names it; 0 is before the first. `patient` waits after each loss until somebody has resumed the stream.
  const inputSchema = {
    steps: z.number(),
    loseAfter: z.array(z.number()).default([]),
    loss: z.enum(losses).default('cut by the network'),
    patient: z.boolean().default(false),
  };
  server.registerTool('recite', { inputSchema }, async ({ steps, loseAfter, loss, patient }, extra) => {
    const run = ran('recite');
    for (let step = 0; step <= steps; step += 1) {
      const params = { level: 'info' as const, logger: `run ${run}`, data: step };
      if (step > 0) await extra.sendNotification({ method: 'notifications/message', params });
      for (const _ of loseAfter.filter((lost) => lost === step)) {
        // What was written goes out first; then the stream ends in the way asked for.
        await pause(20);
        const resumedBefore = service.resumptions().length;
        service.lossesAt.push(performance.now());
        if (loss === 'closed by the server') extra.closeSSEStream?.();
        else service.cutRequest(extra.requestId);
        if (patient) await until('a resumption', () => service.resumptions().length > resumedBefore);
      }
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
  server.registerTool(
    'ask',
    { inputSchema: { onOwnStream: z.boolean() } },
    async ({ onOwnStream }, extra) => {
      ran('ask');
      const answer = z.looseObject({ roots: z.array(z.looseObject({ uri: z.string() })) });
      const request = { method: 'roots/list' as const };
      const { roots } = onOwnStream
        ? await server.server.listRoots()
        : await extra.sendRequest(request, answer);
      return text(roots.map(({ uri }) => uri).join(' '));
    },
  );

  server.registerTool('announce', { inputSchema: {} }, async () => {
    ran('announce');
    await server.server.sendToolListChanged();
    return text('announced');
  });

  const { revision } = service.shape;
  if (revision === undefined) return;
  server.server.setRequestHandler(InitializeRequestSchema, () => ({
    protocolVersion: revision,
    capabilities: { tools: {} },
    serverInfo: { name: 'sdk-service', version: '1.0.0' },
  }));
}
