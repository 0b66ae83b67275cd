// Requests that the service makes of the client, as they pass a front. Every daemon counts them from 1, so the client gets each
// under an id of the front's own, and its answer finds the daemon that asked.

import { idKey, type Envelope } from '../protocol/envelope.ts';
import { splice } from '../protocol/splice.ts';

const MAX_OPEN = 4096;

export class ServiceQuestions<L> {
  readonly #open = new Map<string, { readonly asker: L; readonly id: string }>();
  #nextId = 1;

  /** A request of the service's, or a cancellation of one, as the client gets it; undefined where it gets none. */
  passOn(message: Envelope, asker: L): Buffer | undefined {
    return message.kind === 'request' ? this.#ask(message, asker) : this.#cancel(message, asker);
  }

  /** Undefined when too many wait. */
  #ask(question: Envelope, asker: L): Buffer | undefined {
    if (question.id === null || this.#open.size >= MAX_OPEN) return undefined;
    const key = String(this.#nextId);
    this.#nextId += 1;
    this.#open.set(key, { asker, id: question.text(question.id) });
    return splice(question, [{ span: question.id, text: key }]);
  }

  /** The client's answer as the asker gets it; undefined where nobody waits for it. */
  answer(answer: Envelope): { readonly asker: L; readonly line: Buffer } | undefined {
    if (answer.id === null) return undefined;
    const key = idKey(answer.text(answer.id));
    const asked = this.#open.get(key);
    if (asked === undefined) return undefined;
    this.#open.delete(key);
    return { asker: asked.asker, line: splice(answer, [{ span: answer.id, text: asked.id }]) };
  }

  #cancel(message: Envelope, asker: L): Buffer | undefined {
    const span = message.spans.requestId;
    if (span === undefined) return undefined;
    const id = message.text(span);
    for (const [key, asked] of this.#open) {
      if (asked.asker !== asker || asked.id !== id) continue;
      this.#open.delete(key);
      return splice(message, [{ span, text: key }]);
    }
    return undefined;
  }

  /** Their asker is gone: the ids under which the client knows them. */
  forget(asker: L): string[] {
    const keys = [...this.#open].flatMap(([key, asked]) => (asked.asker === asker ? [key] : []));
    for (const key of keys) this.#open.delete(key);
    return keys;
  }
}
