// Runs under Wine: launches the bridge as a client does, with pipes, calls a tool, and prints what came.
'use strict';
const { spawn } = require('node:child_process');

const [script, target, key] = process.argv.slice(2);
const child = spawn(process.execPath, [script, 'run', target], { stdio: ['pipe', 'pipe', 'inherit'] });
const send = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
let text = '';
child.stdout.setEncoding('utf8').on('data', (chunk) => {
  text += chunk;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
    const line = text.slice(0, end);
    text = text.slice(end + 1);
    process.stdout.write(`${line}\n`);
    const { id } = JSON.parse(line);
    if (id === 1) {
      send({ method: 'notifications/initialized' });
      send({ id: 2, method: 'tools/call', params: { name: 'write', arguments: { key } } });
    }
    if (id === 2) child.stdin.end();
  }
});
child.on('exit', (code) => process.stdout.write(`exit ${code}\n`));
const clientInfo = { name: 'wine', version: '1.0.0' };
send({
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
});
