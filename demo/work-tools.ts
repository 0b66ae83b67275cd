// Tools that take their time, talk while they run, or answer with a lot: what a bridge has to carry besides short calls.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import type { NotesStore } from './notes-store.ts';

const readOnly = { readOnlyHint: true, openWorldHint: false };

/** `onAbandoned` is called when a tool stopped half-way because its client cancelled the call or went away. */
export function registerWork(
  server: McpServer,
  store: NotesStore,
  onAbandoned: (tool: string) => void,
): void {
  /** Runs `step` for 1…`steps`, `pauseMs` before each; stops at once when the call is cancelled. */
  async function runSteps(
    tool: string,
    { steps, pauseMs, signal }: { steps: number; pauseMs: number; signal: AbortSignal },
    step: (done: number) => Promise<void>,
  ): Promise<void> {
    for (let done = 1; done <= steps; done += 1) {
      try {
        await sleep(pauseMs, undefined, { signal });
      } catch (error) {
        onAbandoned(tool);
        throw error;
      }
      await step(done);
    }
  }

  server.registerTool(
    'slow_report',
    {
      title: 'Slow report',
      description:
        'Counts what the notes say about a subject, and takes its time over it, reporting progress.',
      inputSchema: {
        subject: z.string().trim().min(1).max(200),
        seconds: z.number().min(0).max(300).default(5),
        steps: z.number().int().min(1).max(100).default(5),
      },
      outputSchema: { subject: z.string(), notes: z.number(), words: z.number() },
      annotations: readOnly,
    },
    async ({ subject, seconds, steps }, { signal, sendNotification, _meta }) => {
      const progressToken = _meta?.progressToken;
      await runSteps(
        'slow_report',
        { steps, pauseMs: (seconds * 1000) / steps, signal },
        async (progress) => {
          if (progressToken === undefined) return;
          const params = { progressToken, progress, total: steps, message: `Step ${progress} of ${steps}` };
          await sendNotification({ method: 'notifications/progress', params });
        },
      );
      const { total, notes } = store.search(subject, Number.POSITIVE_INFINITY);
      const words = notes.reduce((sum, note) => sum + note.text.split(/\s+/).filter(Boolean).length, 0);
      const text = `On "${subject}": ${total} notes, ${words} words, after ${seconds} s.`;
      return { content: [{ type: 'text', text }], structuredContent: { subject, notes: total, words } };
    },
  );

  server.registerTool(
    'stream_lines',
    {
      title: 'Stream lines',
      description: 'Sends lines as log messages while it runs.',
      inputSchema: {
        lines: z.number().int().min(1).max(1000).default(5),
        interval_ms: z.number().int().min(0).max(5000).default(200),
      },
      annotations: readOnly,
    },
    async ({ lines, interval_ms: pauseMs }, { signal, sendNotification }) => {
      await runSteps('stream_lines', { steps: lines, pauseMs, signal }, async (line) => {
        const params = { level: 'info' as const, logger: 'stream_lines', data: `line ${line} of ${lines}` };
        await sendNotification({ method: 'notifications/message', params });
      });
      return { content: [{ type: 'text', text: `Sent ${lines} lines.` }] };
    },
  );

  server.registerTool(
    'large_document',
    {
      title: 'Large document',
      description: 'Returns that many KiB of text, and its SHA-256.',
      inputSchema: { kib: z.number().int().min(1).max(8192).default(64) },
      annotations: readOnly,
    },
    ({ kib }) => {
      const text = composeDocument(kib * 1024);
      const sha256 = createHash('sha256').update(text).digest('hex');
      return { content: [{ type: 'text', text }], structuredContent: { bytes: text.length, sha256 } };
    },
  );
}

/** ASCII, so that characters are bytes; numbered, so that a missing or moved piece shows. */
function composeDocument(bytes: number): string {
  const lines: string[] = [];
  for (let length = 0, line = 1; length < bytes; line += 1) {
    const text = `${String(line).padStart(6, '0')}  The quick brown fox jumps over the lazy dog, "again" \\ and again.\n`;
    lines.push(text);
    length += text.length;
  }
  return lines.join('').slice(0, bytes);
}
