// What front and daemon say to each other on the socket before the client's own lines, and the few words in between.
//
//   front   GET /attach HTTP/1.1, Upgrade: mcp-bridge, Authorization: Bearer <secret>, the Launch as one line of JSON
//   daemon  101, or a refusal whose body is for people
//   both    the client's conversation: JSON-RPC, one message a line; a line of theirs that begins with # is a word

export const ATTACH_PATH = '/attach';
export const UPGRADE_NAME = 'mcp-bridge';
/** The Host that both name; `curl --unix-socket` with localhost does as well. */
export const SOCKET_HOST = 'mcp-bridge';
export const VERSION_HEADER = 'mcp-bridge-version';
/** With 101: the longest line that the daemon takes from this client, in bytes. */
export const MAX_LINE_HEADER = 'mcp-bridge-max-line';
/** With 101: requestTimeoutMs, toolTimeoutMs and toolTimeoutMaxMs of this client, separated by commas. */
export const TIME_LIMITS_HEADER = 'mcp-bridge-time-limits';
/** With 428: names of variables, separated by commas, that the Launch must bring along. */
export const NEEDS_HEADER = 'mcp-bridge-needs';

/** Variables that say how to reach services from where the client was launched; they always come along. */
export const NETWORK_VARIABLES: readonly string[] = [
  'HTTPS_PROXY',
  'https_proxy',
  'HTTP_PROXY',
  'http_proxy',
  'NO_PROXY',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
];

/** What a client launched. The line may hold secrets: it is neither logged nor kept. */
export interface Launch {
  readonly argv: readonly string[];
  /** The program's own variables, those of the network, and those that give headers their values; `null` for one that is not set. */
  readonly env: Readonly<Record<string, string | null>>;
}

/** How a word begins: `#`, which no message does. */
export const WORD_BYTE = 0x23;
/** The front's, with a number behind it: how long the client has waited for the answer to the next line already, in milliseconds. */
export const WAITED_WORD = '#waited';
/** A newer daemon takes over: attach to it, and leave this one when it has answered what it was asked. */
export const DRAIN_WORD = '#drain';
/** The daemon ends on a person's word: come back when the client needs something. */
export const BYE_WORD = '#bye';
