// What goes wrong on the way to a service before the service is there: at the proxy, or with the files that the way needs. The
// messages hold no secrets.

export type NetworkTrouble =
  /** No connection to the proxy. */
  | { readonly kind: 'proxy-unreachable'; readonly proxy: string; readonly reason: string }
  /** It wants a user name and a password, or others. */
  | { readonly kind: 'proxy-auth'; readonly proxy: string; readonly hasCredentials: boolean }
  /** It lets nobody through to this service. */
  | { readonly kind: 'proxy-refused'; readonly proxy: string; readonly status: number }
  /** It tried and got no connection to the service. */
  | { readonly kind: 'behind-proxy'; readonly proxy: string; readonly status: number }
  /** A certificate or key cannot be read or used. */
  | { readonly kind: 'file'; readonly path: string; readonly setting: string; readonly reason: string };

export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  readonly trouble: NetworkTrouble;

  constructor(trouble: NetworkTrouble, cause?: unknown) {
    super(describe(trouble), { cause });
    this.trouble = trouble;
  }
}

function describe(trouble: NetworkTrouble): string {
  switch (trouble.kind) {
    case 'proxy-unreachable':
      return `The proxy ${trouble.proxy} cannot be reached (${trouble.reason}).`;
    case 'proxy-auth':
      return trouble.hasCredentials
        ? `The proxy ${trouble.proxy} does not take the user name and password that it is given (HTTP 407).`
        : `The proxy ${trouble.proxy} wants a user name and a password (HTTP 407).`;
    case 'proxy-refused':
      return `The proxy ${trouble.proxy} does not let the bridge through to the service (HTTP ${trouble.status}).`;
    case 'behind-proxy':
      return `The proxy ${trouble.proxy} gets no connection to the service (HTTP ${trouble.status}).`;
    case 'file':
      return `The file ${trouble.path} (${trouble.setting}) cannot be used: ${trouble.reason}.`;
  }
}
