// What the service offers around its notes: four tools, the notes as resources, and one prompt.
import { ResourceTemplate, type McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { completable } from '@modelcontextprotocol/sdk/server/completable.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { noteSchema, notesLimits, type Note, type NotesStore } from './notes-store.ts';

const indexUri = 'notes://index';
const defaultLimit = 10;

const limitInput = z
  .number()
  .int()
  .min(1)
  .max(100)
  .default(defaultLimit)
  .describe(`How many notes to return at most (default ${defaultLimit})`);
const listOutput = { total: z.number(), notes: z.array(noteSchema) };

/** `onChange` is called after each change of the notes, so that every session can be told. */
export function registerNotes(server: McpServer, store: NotesStore, onChange: () => void): void {
  server.registerTool(
    'add_note',
    {
      title: 'Add a note',
      description: 'Stores a note in the notes file and returns its id.',
      inputSchema: {
        title: z.string().trim().min(1).max(notesLimits.titleChars),
        text: z.string().max(notesLimits.textChars),
        tags: z.array(z.string().trim().min(1).max(notesLimits.tagChars)).max(notesLimits.tags).default([]),
      },
      outputSchema: { note: noteSchema },
      annotations: {
        readOnlyHint: false,
        destructiveHint: false,
        idempotentHint: false,
        openWorldHint: false,
      },
    },
    async ({ title, text, tags }) => {
      const note = await store.add({ title, text, tags });
      onChange();
      return structured(`Stored "${note.title}" as note ${note.id}.`, { note });
    },
  );

  server.registerTool(
    'search_notes',
    {
      title: 'Search notes',
      description:
        'Finds the notes that hold every word of the query in title, text or tags; best match first.',
      inputSchema: { query: z.string().trim().min(1).max(200), limit: limitInput },
      outputSchema: { query: z.string(), ...listOutput },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ query, limit }) => {
      const { total, notes } = store.search(query, limit);
      const heading = total === 0 ? `No note holds "${query}".` : `${total} found for "${query}":`;
      return structured([heading, ...notes.map(renderNote)].join('\n\n'), { query, total, notes });
    },
  );

  server.registerTool(
    'list_notes',
    {
      title: 'List notes',
      description: 'Lists the newest notes.',
      inputSchema: { limit: limitInput },
      outputSchema: listOutput,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ limit }) => {
      const notes = store.list(limit);
      return structured(renderIndex(notes, store.size), { total: store.size, notes });
    },
  );

  server.registerTool(
    'delete_note',
    {
      title: 'Delete a note',
      description: 'Deletes the note with this id. A second time changes nothing.',
      inputSchema: { id: z.string().min(1).max(64) },
      outputSchema: { deleted: z.boolean() },
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    },
    async ({ id }) => {
      const note = await store.delete(id);
      if (note) onChange();
      const text = note ? `Deleted "${note.title}".` : `There is no note ${id}; nothing was deleted.`;
      return structured(text, { deleted: note !== undefined });
    },
  );

  registerResources(server, store);
  registerPrompt(server, store);
}

function registerResources(server: McpServer, store: NotesStore): void {
  server.registerResource(
    'index',
    indexUri,
    { title: 'All notes', description: 'Titles and ids, newest first', mimeType: 'text/markdown' },
    (uri) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'text/markdown',
          text: renderIndex(store.list(notesLimits.notes), store.size),
        },
      ],
    }),
  );

  server.registerResource(
    'note',
    new ResourceTemplate('notes://note/{id}', {
      list: () => ({
        resources: store
          .list(notesLimits.notes)
          .map((note) => ({ uri: `notes://note/${note.id}`, name: note.title, mimeType: 'text/markdown' })),
      }),
      complete: {
        id: (start) =>
          store
            .list(notesLimits.notes)
            .flatMap(({ id }) => (id.startsWith(start) ? [id] : []))
            .slice(0, 100),
      },
    }),
    { title: 'One note', mimeType: 'text/markdown' },
    (uri, { id }) => {
      const note = store.get(String(id));
      if (!note) throw new Error(`There is no note ${String(id)}`);
      return { contents: [{ uri: uri.href, mimeType: 'text/markdown', text: renderNote(note) }] };
    },
  );
}

function registerPrompt(server: McpServer, store: NotesStore): void {
  server.registerPrompt(
    'summarize_notes',
    {
      title: 'Summarize notes',
      description: 'Asks for a summary of what the notes say about a topic.',
      argsSchema: {
        topic: completable(z.string().max(200), (start) => {
          const tags = new Set(store.list(notesLimits.notes).flatMap((note) => note.tags));
          return [...tags].filter((tag) => tag.startsWith(start)).slice(0, 100);
        }),
      },
    },
    ({ topic }) => {
      const { notes } = store.search(topic, defaultLimit);
      const material = notes.length > 0 ? notes.map(renderNote).join('\n\n') : '(There is none.)';
      const text = `Summarize what my notes say about "${topic}" in a few sentences.\n\n${material}`;
      return { messages: [{ role: 'user', content: { type: 'text', text } }] };
    },
  );
}

function structured(text: string, structuredContent: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text }], structuredContent };
}

function renderNote(note: Note): string {
  const tags = note.tags.length > 0 ? ` · ${note.tags.join(', ')}` : '';
  return `## ${note.title}\n${note.id} · ${note.created}${tags}\n\n${note.text}`;
}

function renderIndex(notes: Note[], total: number): string {
  const lines = notes.map((note) => `- ${note.id} ${note.title}`);
  return [`${total} ${total === 1 ? 'note' : 'notes'}`, ...lines].join('\n');
}
