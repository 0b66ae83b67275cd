// What the steps check with: each of these throws in words when something is not as it should be.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';

export function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

/** Returns the structured result of the tool. */
export async function call<T>(client: Client, name: string, args: Record<string, unknown>): Promise<T> {
  const result = await client.callTool({ name, arguments: args });
  check(!result.isError, `${name} failed: ${JSON.stringify(result.content)}`);
  return result.structuredContent as T;
}

export async function until(isSo: () => boolean, what: string): Promise<void> {
  for (const startedAt = performance.now(); !isSo(); await sleep(2)) {
    check(performance.now() - startedAt < 2_000, `waited 2 s in vain until ${what}`);
  }
}

/** Which of the notes are in the service's file more or less often than once, and how often. Empty: none. */
export async function findNotOnce(
  notesFile: string,
  titles: readonly string[],
): Promise<Map<string, number>> {
  const { notes } = JSON.parse(await readFile(notesFile, 'utf8')) as { notes: { title: string }[] };
  const counts = new Map(titles.map((title) => [title, 0]));
  for (const { title } of notes) {
    const count = counts.get(title);
    if (count !== undefined) counts.set(title, count + 1);
  }
  for (const [title, count] of counts) if (count === 1) counts.delete(title);
  return counts;
}

export async function checkOnce(notesFile: string, titles: readonly string[]): Promise<void> {
  const wrong = [...(await findNotOnce(notesFile, titles))].map(
    ([title, count]) => `"${title}" ${count} times`,
  );
  check(wrong.length === 0, `the notes file holds ${wrong.join(', ')}`);
}
