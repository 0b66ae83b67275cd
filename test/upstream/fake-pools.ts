// The fake network's client, with connections that can be closed: what is in flight on them fails then, as over real ones.
//
//   vi.mock('../../src/upstream/http.ts', () => import('./fake-pools.ts'));
import * as fake from '../support/fake-http.ts';

export class HttpClient extends fake.HttpClient {
  #own: fake.FakeHttpExchange[] = [];

  override send(...args: Parameters<fake.HttpClient['send']>): ReturnType<fake.HttpClient['send']> {
    const outcome = super.send(...args);
    this.#own.push(fake.network.exchanges.at(-1)!);
    return outcome;
  }

  disconnect(): void {
    for (const exchange of this.#own.splice(0)) exchange.fail('UND_ERR_DESTROYED');
  }
}
