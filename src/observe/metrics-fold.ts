// The metrics as a fold over the events, for `GET /metrics`. docs/operations.md says what to watch.

import type { Observed } from './events.ts';
import { Counter, Durations, Gauge, Total } from './prometheus.ts';
import type { Status } from './status.ts';

export interface ProcessFigures {
  readonly residentBytes: number;
  /** Events that were lost because a reader of GET /events was behind. */
  readonly droppedEvents: number;
}

export class MetricsFold {
  readonly #requests = new Counter(
    'mcp_bridge_requests_total',
    'Requests that were settled, by what they came to and the route of their last try.',
    ['profile', 'outcome', 'route'],
  );
  readonly #latency = new Durations(
    'mcp_bridge_request_duration_seconds',
    'From reading a request to writing its answer; answered ones only.',
    ['profile'],
  );
  readonly #retries = new Counter(
    'mcp_bridge_retries_total',
    'Further tries, by what the try before met and how far it had come.',
    ['profile', 'code', 'progress'],
  );
  readonly #hedges = new Counter(
    'mcp_bridge_hedges_total',
    'Silent requests that were asked once more beside the first try.',
    ['profile'],
  );
  readonly #fallbacks = new Counter('mcp_bridge_fallback_tries_total', 'Tries on the per-request route.', [
    'profile',
  ]);
  readonly #handshakes = new Counter('mcp_bridge_handshakes_total', 'Handshakes of persistent sessions.', [
    'profile',
    'transport',
    'revision',
  ]);
  readonly #handshakeTime = new Durations(
    'mcp_bridge_handshake_duration_seconds',
    'How long handshakes of persistent sessions took.',
    ['profile'],
  );
  readonly #moves = new Counter(
    'mcp_bridge_session_transitions_total',
    'Changes of state of persistent sessions, by the state that they came to.',
    ['profile', 'state'],
  );
  readonly #routes = new Counter(
    'mcp_bridge_route_changes_total',
    'Changes of the route that requests take.',
    ['profile', 'route'],
  );
  readonly #checks = new Counter('mcp_bridge_health_checks_total', 'Health checks.', ['profile', 'result']);
  readonly #badLines = new Counter(
    'mcp_bridge_client_errors_total',
    'Lines of clients that were refused, by code.',
    ['profile', 'code'],
  );
  readonly #dropped = new Counter(
    'mcp_bridge_upstream_dropped_total',
    'Messages of services that belonged to nobody.',
    ['profile'],
  );
  readonly #limits = new Counter(
    'mcp_bridge_pool_limit_total',
    'Clients that got no session of the pool, because there were as many as may be.',
    ['profile'],
  );
  readonly #faults = new Counter(
    'mcp_bridge_faults_total',
    'Failures inside the bridge that nobody foresaw.',
    [],
  );

  readonly #info = new Gauge('mcp_bridge_info', 'Always 1; the labels say what runs.', ['version', 'mode']);
  readonly #started = new Gauge('mcp_bridge_start_time_seconds', 'When it was started, since 1970.', []);
  readonly #memory = new Gauge('mcp_bridge_resident_memory_bytes', 'Memory of the process.', []);
  readonly #lost = new Total(
    'mcp_bridge_events_dropped_total',
    'Events lost because a reader of /events was behind.',
    [],
  );
  readonly #sessions = new Gauge('mcp_bridge_sessions', 'Sessions by state.', ['profile', 'state']);
  readonly #clients = new Gauge('mcp_bridge_clients', 'Clients attached.', ['profile']);
  readonly #healthy = new Gauge('mcp_bridge_healthy', '1 when the profile is healthy, else 0.', ['profile']);
  readonly #fallback = new Gauge(
    'mcp_bridge_fallback_active',
    '1 while requests take the per-request route, else 0.',
    ['profile'],
  );

  take({ labels: { profile }, event }: Observed): void {
    switch (event.type) {
      case 'request.settled':
        this.#requests.add(profile, event.outcome, event.route ?? 'none');
        if (event.outcome === 'answered') this.#latency.record(event.ms, profile);
        return;
      case 'request.retried':
        this.#retries.add(profile, event.code, event.progress);
        return;
      case 'request.hedged':
        this.#hedges.add(profile);
        return;
      case 'request.fallback':
        this.#fallbacks.add(profile);
        return;
      case 'session.handshake':
        this.#handshakes.add(profile, event.transport, event.protocolVersion);
        this.#handshakeTime.record(event.ms, profile);
        return;
      case 'session.state':
        this.#moves.add(profile, event.state);
        return;
      case 'session.route':
        this.#routes.add(profile, event.route);
        return;
      case 'session.health':
        this.#checks.add(profile, event.isWell ? 'well' : 'unwell');
        return;
      case 'client.bad-line':
        this.#badLines.add(profile, event.code);
        return;
      case 'upstream.dropped':
        this.#dropped.add(profile);
        return;
      case 'pool.session':
        if (event.change === 'limit') this.#limits.add(profile);
        return;
      case 'daemon.state':
        if (event.state === 'fault') this.#faults.add();
        return;
      case 'session.restored':
      case 'client.attached':
      case 'client.introduced':
      case 'client.detached':
      case 'sign-in.state':
      case 'sign-in.page':
      case 'upstream.listen':
      case 'config.changed':
      case 'bridge.closed':
    }
  }

  /** @param status what is at this moment; the counters say what has been */
  text(status: Status, figures: ProcessFigures): string {
    this.#measure(status, figures);
    const families = [
      ...[this.#info, this.#started, this.#memory, this.#lost, this.#healthy, this.#clients, this.#sessions],
      ...[this.#fallback, this.#requests, this.#latency, this.#retries, this.#hedges, this.#fallbacks],
      ...[this.#handshakes, this.#handshakeTime, this.#moves, this.#routes, this.#checks, this.#badLines],
      ...[this.#dropped, this.#limits, this.#faults],
    ];
    return families.map((family) => family.text()).join('');
  }

  #measure({ instance, profiles }: Status, figures: ProcessFigures): void {
    this.#info.set(1, instance.version, instance.mode);
    this.#started.set(Date.parse(instance.startedAt) / 1000);
    this.#memory.set(figures.residentBytes);
    this.#lost.set(figures.droppedEvents);
    for (const gauge of [this.#sessions, this.#clients, this.#healthy, this.#fallback]) gauge.reset();
    for (const { profile, health, clients, sessions, route } of profiles) {
      this.#healthy.set(health === 'healthy' ? 1 : 0, profile);
      this.#clients.set(clients.length, profile);
      this.#fallback.set(route === 'per-request' ? 1 : 0, profile);
      for (const { state } of sessions) {
        this.#sessions.set(sessions.filter((each) => each.state === state).length, profile, state);
      }
    }
  }
}
