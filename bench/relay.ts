// The yardstick: the least that a bridge written in Node.js can do, as fast as it can be done. Lines from stdin become
// POSTs over kept-alive connections, answers become lines on stdout. No safety of any kind: no check, no retry, no
// limit, no shutdown. Not a product; `npm run bench` says how much ours costs above it.
import { Pool } from 'undici';

const newline = Buffer.from('\n');
const url = new URL(process.argv[2] ?? '');
const pool = new Pool(url.origin);
const headers: Record<string, string> = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};

function post(body: Buffer): void {
  const chunks: Buffer[] = [];
  let isStream = false;
  pool.dispatch(
    { method: 'POST', path: url.pathname, headers, body },
    {
      onRequestStart() {},
      onResponseStart(_controller, _status, answer) {
        headers['mcp-session-id'] ??= String(answer['mcp-session-id']);
        isStream = answer['content-type'] === 'text/event-stream';
      },
      onResponseData: (_controller, chunk) => void chunks.push(chunk),
      onResponseEnd() {
        if (chunks.length === 0) return; // a 202
        if (!isStream) chunks.push(newline);
        const text = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
        const start = isStream ? text.indexOf('data: ') + 6 : 0;
        process.stdout.write(text.subarray(start, text.indexOf(10, start) + 1));
      },
      onResponseError: (_controller, error) => void process.stderr.write(`${error.message}\n`),
    },
  );
}

let partial: Buffer[] = [];
process.stdin.on('data', (chunk: Buffer) => {
  let start = 0;
  for (let end; (end = chunk.indexOf(10, start)) >= 0; start = end + 1) {
    const line = chunk.subarray(start, end);
    post(partial.length === 0 ? line : Buffer.concat([...partial, line]));
    partial = [];
  }
  if (start < chunk.length) partial.push(chunk.subarray(start));
});
process.stdin.on('end', () => process.exit(0));
