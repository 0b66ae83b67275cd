// What mcp-bridge must do, one id a behaviour: the list that tests cite. A test that shows a behaviour begins its title,
// or its describe title, with the id: test('BR3 keeps ids …'). test/architecture/requirements.test.ts holds tests and
// list together. An id never changes its meaning; a new one goes to the end of its group.

export const requirements = {
  // Bridging
  BR1: 'relays lines between stdio and the service, both ways, until stdin ends',
  BR2: 'speaks four protocol revisions, and finds the oldest by the fallback rule',
  BR3: 'brings each answer to the request that asked for it, ids unchanged',
  BR4: 'forwards payloads byte for byte, and splices what must change',
  BR5: 'carries requests and notifications of the service, and the answers to them',
  BR6: 'carries cancellation both ways under the right id',
  BR7: 'carries progress and logging in order, never after the answer',
  BR8: 'takes each kind of body that the specification allows, and resumes a cut stream',
  BR9: 'prints MCP messages on stdout and nothing else, at the pace of the reader',
  BR10: 'ends cleanly within 2 s, on each of the ways to be ended',
  BR11: 'answers bad input from the client with the right error, within bounded memory',
  BR12: 'turns bad output of the service into a clear error, never a hang',
  BR13: 'gives every request exactly one reply',

  // The persistent session
  SE1: 'keeps one session and its connection, and reuses them for every request',
  SE2: 'lives by the connectivity states, each change one event with a reason',
  SE3: 'checks its health with pings when nothing else passes',
  SE4: 'replaces a lost session once, however many requests notice',
  SE5: 'restores on a new session what belonged to the old one',
  SE6: 'keeps the notification stream of the service open',
  SE7: 'notices sleep and a change of network, and checks at once',
  SE8: 'goes idle when unused, and returns unnoticed',

  // Retry
  RT1: 'retries what was never sent',
  RT2: 'retries what was refused before it ran, when the service says so',
  RT3: 'retries what may have run only where twice is as good as once',
  RT4: 'resumes the rest, or says that the outcome is unknown',
  RT5: 'backs off with jitter, within a retry budget',
  RT6: 'tries a silent connection against a fresh one',
  RT7: 'answers before the client gives up',

  // Fallback to per-request connections
  FB1: 'serves requests one connection each when no session can be kept',
  FB2: 'decides by a circuit breaker, and returns to the session by itself',
  FB3: 'lets requests wait for an unreachable service within bounds, and explains long outages',
  FB4: 'serves a service that keeps no sessions at full speed',
  FB5: 'bridges inside the front when there can be no daemon',

  // Handshake
  HS1: 'answers initialize from the session, the last known result, or the service, in that order',
  HS2: 'starts and answers while the service is down',
  HS3: 'announces what differs from the last known answers',
  HS4: 'answers server/discover at once, with no traffic',

  // The daemon
  DM1: 'runs once a user, whoever starts first',
  DM2: 'shares a session among clients that ask for the same',
  DM3: 'lingers after the last client has left',
  DM4: 'may be killed at any moment without harm',
  DM5: 'hands over to a newer version without losing a request',
  DM6: 'survives what it finds on disk, or says what is wrong',
  DM7: 'talks to its own user alone',

  // Seeing what it does
  ST1: 'shows its status to a person and to a program',
  ST2: 'has a local HTTP interface',
  ST3: 'finds out step by step what is wrong, and what to do',
  ST4: 'writes logs that hold no secrets',
  ST5: 'emits events, and derives status, logs and metrics from them',
  ST6: 'resets and stops on request, and reports it',

  // Sign-in
  AU1: 'signs in with OAuth in the browser',
  AU2: 'keeps secrets in the keychain of the system, without ever hanging on it',
  AU3: 'refuses to keep secrets elsewhere unless told to',
  AU4: 'refreshes tokens ahead of time, one at a time',
  AU5: 'takes fixed tokens and extra headers',
  AU6: 'signs out, and removes what was stored',
  AU7: 'takes up a new sign-in while running',

  // Configuration
  CF1: 'reads settings from six places in a fixed order, and tells which one won',
  CF2: 'knows each setting from one table, and refuses bad values and unknown names',
  CF3: 'reports a corrupt file with its position, and never overwrites it',
  CF4: 'works behind proxies and private certificate authorities',
  CF5: 'takes up changed settings while running, where that is safe',

  // Set-up
  SU1: 'sets everything up with one command, and proves that it works',
  SU2: "changes the client's configuration without harming it",
  SU3: 'writes an entry with an absolute path, no secret and no spaces',
  SU4: 'sets up other clients too',

  // Installers
  IN1: 'builds every installer with one command',
  IN2: 'installs, upgrades and removes without a person',

  // Security
  SC1: 'insists on https, and shows credentials to no other origin',
  SC2: 'gives no URL to a shell, and opens none but http(s)',
  SC3: 'checks who talks to its local callbacks and sockets',
  SC4: 'bounds everything that a stranger could make grow',

  // Performance
  PF1: 'starts about as fast as Node.js does',
  PF2: 'adds little latency, and costs little throughput',
  PF3: 'takes little memory, and keeps to it',
  PF4: 'saves the handshake on every call',
  PF5: 'recovers two hundred bridges without a stampede',
} as const;

export type RequirementId = keyof typeof requirements;

/** What the program does so far. Each of these must be shown by a test. */
export const delivered: readonly RequirementId[] = [
  'BR1',
  'BR2',
  'BR3',
  'BR4',
  'BR5',
  'BR6',
  'BR7',
  'BR8',
  'BR9',
  'BR10',
  'BR11',
  'BR12',
  'BR13',
  'SE1',
  'SE2',
  'SE3',
  'SE4',
  'SE5',
  'SE6',
  'SE7',
  'SE8',
  'RT1',
  'RT2',
  'RT3',
  'RT4',
  'RT5',
  'RT6',
  'RT7',
  'FB1',
  'FB2',
  'FB3',
  'FB4',
  'FB5',
  'HS1',
  'HS2',
  'HS3',
  'HS4',
  'DM1',
  'DM2',
  'DM3',
  'DM4',
  'DM5',
  'DM6',
  'DM7',
  'ST1',
  'ST2',
  'ST3',
  'ST4',
  'ST5',
  'ST6',
  'AU1',
  'AU2',
  'AU3',
  'AU4',
  'AU5',
  'AU6',
  'AU7',
  'SC1',
  'SC2',
  'SC3',
  'SC4',
  'CF2',
  'CF4',
  'PF2',
  'PF4',
  'PF5',
];
