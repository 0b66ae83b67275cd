// Loaded into the process under test: resolves `service.test` to this machine, unless the file of NAME_FAULT_FILE is there.
import dns from 'node:dns';
import { existsSync } from 'node:fs';

const { lookup } = dns;

dns.lookup = (host, options, callback) => {
  const done = typeof options === 'function' ? options : callback;
  if (host !== 'service.test') return lookup(host, options, callback);
  if (existsSync(process.env['NAME_FAULT_FILE'] ?? '')) {
    const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), {
      code: 'ENOTFOUND',
      errno: -3008,
      syscall: 'getaddrinfo',
      hostname: host,
    });
    process.nextTick(done, error);
    return undefined;
  }
  const found = { address: '127.0.0.1', family: 4 };
  if (options?.all === true) process.nextTick(done, null, [found]);
  else process.nextTick(done, null, found.address, found.family);
  return undefined;
};
