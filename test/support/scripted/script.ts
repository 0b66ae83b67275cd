// The script of a service: which request meets which action. Rules are tried in the order they were added; the first
// that matches decides.
import type { Exchange } from './exchange.ts';
import type { RequestRecord } from './record.ts';

/** What the service does with one request, instead of answering it as it normally would. See actions.ts. */
export type Action = (exchange: Exchange) => void | Promise<void>;

/** Selects requests; every field that is given has to fit. */
export interface Matcher {
  http?: 'POST' | 'GET' | 'DELETE';
  /** Decides on the headers alone, while the body is unread: what `rpc`, `tool` and `key` ask for is not known yet. */
  unread?: boolean;
  /** JSON-RPC method of any message in the body. */
  rpc?: string;
  /** Name of the tool that is called. */
  tool?: string;
  /** `key` argument of the tool that is called. */
  key?: string;
  /** Only the nth request (from 1) that fits the rest. */
  nth?: number;
  when?: (request: RequestRecord) => boolean;
}

/** A rule as its test holds it. */
export interface Rule {
  /** Requests that met the action so far. */
  readonly hits: number;
  remove(): void;
}

interface OwnRule extends Rule {
  hits: number;
  seen: number;
  matcher: Matcher;
  action: Action;
  once: boolean;
}

export class Script {
  #rules: OwnRule[] = [];

  add(matcher: Matcher, action: Action, once: boolean): Rule {
    const rule: OwnRule = {
      matcher,
      action,
      once,
      hits: 0,
      seen: 0,
      remove: () => {
        this.#rules = this.#rules.filter((each) => each !== rule);
      },
    };
    this.#rules.push(rule);
    return rule;
  }

  clear(): void {
    this.#rules = [];
  }

  /** The action for this request, counted as met; undefined where the service behaves normally. */
  take(request: RequestRecord, unread = false): Action | undefined {
    for (const rule of this.#rules) {
      if ((rule.matcher.unread ?? false) !== unread || !fits(rule.matcher, request)) continue;
      rule.seen += 1;
      if (rule.matcher.nth !== undefined && rule.seen !== rule.matcher.nth) continue;
      rule.hits += 1;
      if (rule.once) rule.remove();
      return rule.action;
    }
    return undefined;
  }
}

function fits(matcher: Matcher, request: RequestRecord): boolean {
  return (
    (matcher.http === undefined || matcher.http === request.http) &&
    (matcher.rpc === undefined || request.messages.some((message) => message.method === matcher.rpc)) &&
    (matcher.tool === undefined || matcher.tool === request.tool) &&
    (matcher.key === undefined || matcher.key === request.key) &&
    (matcher.when === undefined || matcher.when(request))
  );
}
