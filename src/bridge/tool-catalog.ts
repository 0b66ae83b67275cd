// What the service says of its tools, learnt from tools/list answers as they pass. Decides which calls may be sent twice.

import type { ToolAnnotations } from '../policy/replay-safety.ts';
import type { Envelope } from '../protocol/envelope.ts';

/** A service that lists more is not remembered further; its tools then count as unsafe to repeat. */
const MAX_TOOLS = 10_000;

export class ToolCatalog {
  readonly #tools = new Map<string, ToolAnnotations>();

  /**
   * @param result the JSON text of a tools/list result
   * @param isFirstPage true where the list begins anew
   */
  learn(result: string, isFirstPage: boolean): void {
    if (isFirstPage) this.#tools.clear();
    const { tools } = (JSON.parse(result) ?? {}) as { tools?: unknown };
    if (!Array.isArray(tools)) return;
    for (const tool of tools as { name?: unknown; annotations?: unknown }[]) {
      if (typeof tool?.name !== 'string' || this.#tools.size >= MAX_TOOLS) continue;
      // Nothing else of them is kept, however much there is.
      const { readOnlyHint, idempotentHint } = (tool.annotations ?? {}) as ToolAnnotations;
      this.#tools.set(tool.name, {
        ...(readOnlyHint === true && { readOnlyHint }),
        ...(idempotentHint === true && { idempotentHint }),
      });
    }
  }

  /** The list has changed: what was learnt no longer counts. */
  forget(): void {
    this.#tools.clear();
  }

  /** The annotations of the tool that a tools/call names. */
  annotationsFor(call: Envelope): ToolAnnotations | undefined {
    const { name } = call;
    return name === undefined ? undefined : this.#tools.get(name);
  }
}
