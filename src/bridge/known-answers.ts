// The service's last known answers to one kind of client: how it introduced itself, and its lists. They let a launch be
// answered at once, and a client keep its tools while the service is away.

import { type Envelope } from '../protocol/envelope.ts';

export interface KnownAnswersStore {
  /** The stored text; undefined where there is none or it cannot be read. */
  load(): string | undefined;
  /** Never rejects: what cannot be stored is only not known next time. */
  save(text: string): Promise<void>;
}

/** The lists that are kept, with the notification that says that they changed. */
export const LISTS: ReadonlyMap<string, string> = new Map([
  ['tools/list', 'notifications/tools/list_changed'],
  ['prompts/list', 'notifications/prompts/list_changed'],
  ['resources/list', 'notifications/resources/list_changed'],
  ['resources/templates/list', 'notifications/resources/list_changed'],
]);

const FORMAT = 1;
const MAX_PAGES = 200;
const MAX_TEXT = 16 * 1024 * 1024;

interface Stored {
  readonly format: number;
  readonly initialize: string | undefined;
  readonly pages: Readonly<Record<string, string>>;
}

export class KnownAnswers {
  readonly #store: KnownAnswersStore;
  #initialize: string | undefined;
  readonly #pages = new Map<string, string>();
  #saving: Promise<void> | undefined;
  #isChanged = false;

  constructor(store: KnownAnswersStore) {
    this.#store = store;
    const stored = parseStored(store.load());
    if (stored === undefined) return;
    this.#initialize = stored.initialize;
    for (const [key, text] of Object.entries(stored.pages)) this.#pages.set(key, text);
  }

  /** The JSON text of the result of `initialize`. */
  get initialize(): string | undefined {
    return this.#initialize;
  }

  /** The JSON text of the result of a list request, with the cursor that it names. */
  page(request: Envelope): string | undefined {
    return this.#pages.get(pageKey(request));
  }

  /** The JSON texts of all pages of a list, the first one first. */
  pages(method: string): string[] {
    const first = this.#pages.get(method);
    const later = [...this.#pages].filter(([key]) => key.startsWith(`${method} `)).map(([, text]) => text);
    return first === undefined ? [] : [first, ...later];
  }

  /** True when the answer differs from what was known. */
  noteInitialize(answer: Envelope): boolean {
    const result = resultText(answer);
    if (result === undefined || result === this.#initialize) return false;
    this.#initialize = result;
    this.#changed();
    return true;
  }

  /** True when the answer differs from what was known. */
  notePage(request: Envelope, answer: Envelope): boolean {
    const result = resultText(answer);
    const key = pageKey(request);
    if (result === undefined || result === this.#pages.get(key)) return false;
    // A first page that differs makes the pages behind it those of another list.
    if (key === request.method)
      for (const known of [...this.#pages.keys()]) if (known.startsWith(`${key} `)) this.#pages.delete(known);
    this.#pages.delete(key);
    if (this.#pages.size < MAX_PAGES && this.#textLength + result.length <= MAX_TEXT)
      this.#pages.set(key, result);
    this.#changed();
    return true;
  }

  get #textLength(): number {
    return [...this.#pages.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Resolves when what is known now is stored. */
  async saved(): Promise<void> {
    await this.#saving;
  }

  #changed(): void {
    this.#isChanged = true;
    this.#saving ??= this.#save().finally(() => {
      this.#saving = undefined;
    });
  }

  async #save(): Promise<void> {
    while (this.#isChanged) {
      this.#isChanged = false;
      const stored: Stored = {
        format: FORMAT,
        initialize: this.#initialize,
        pages: Object.fromEntries(this.#pages),
      };
      const text = JSON.stringify(stored);
      if (text.length <= MAX_TEXT) await this.#store.save(text);
    }
  }
}

/** Anything but a file of this format is as good as none; it is replaced by the next save. */
function parseStored(text: string | undefined): Stored | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<Stored> | null;
    if (value?.format !== FORMAT || typeof value.pages !== 'object' || value.pages === null) return undefined;
    const texts = [
      ...Object.values(value.pages),
      ...(value.initialize === undefined ? [] : [value.initialize]),
    ];
    for (const part of texts) {
      const inner: unknown = JSON.parse(part);
      if (typeof inner !== 'object' || inner === null || part.includes('\n')) return undefined;
    }
    return { format: FORMAT, initialize: value.initialize, pages: value.pages };
  } catch {
    return undefined;
  }
}

function resultText(answer: Envelope): string | undefined {
  return answer.spans.result === undefined ? undefined : answer.text(answer.spans.result);
}

function pageKey(request: Envelope): string {
  const { params } = request.spans;
  if (params === undefined) return request.method;
  const { cursor } = (JSON.parse(request.text(params)) ?? {}) as { cursor?: unknown };
  return cursor === undefined ? request.method : `${request.method} ${JSON.stringify(cursor)}`;
}
