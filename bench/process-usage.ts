// Resident memory and CPU time of a process and all that it started. From /proc: where there is none (macOS, Windows)
// the figures are absent, not guessed.
import { readdirSync, readFileSync } from 'node:fs';

const bytesPerMb = 1_000_000;
/** The unit of /proc/<pid>/stat, which Linux fixes for programs at 100 a second. */
const msPerTick = 10;

/** Megabytes (10⁶ bytes), or undefined where the system has no /proc. */
export function residentMb(pid: number): number | undefined {
  try {
    const kilobytes = [pid, ...descendantsOf(pid)].map(residentKbOf).reduce((sum, one) => sum + one, 0);
    return (kilobytes * 1024) / bytesPerMb;
  } catch {
    return undefined;
  }
}

/** Milliseconds of CPU used so far, in steps of 10, or undefined where the system has no /proc. */
export function cpuMs(pid: number): number | undefined {
  try {
    return [pid, ...descendantsOf(pid)]
      .map((one) => statFieldsOf(one))
      .reduce((sum, fields) => sum + (Number(fields[11]) + Number(fields[12])) * msPerTick, 0);
  } catch {
    return undefined;
  }
}

function residentKbOf(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? 0);
}

function descendantsOf(pid: number): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    const child = Number(entry);
    if (!Number.isInteger(child)) continue;
    const parent = parentOf(child);
    if (parent !== undefined) childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), child]);
  }
  const found = [...(childrenOf.get(pid) ?? [])];
  for (let at = 0; at < found.length; at += 1) found.push(...(childrenOf.get(found[at]!) ?? []));
  return found;
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(statFieldsOf(pid)[1]);
  } catch {
    return undefined; // gone meanwhile
  }
}

/** What follows "pid (name) " in /proc/<pid>/stat. The name may hold anything, so count from its closing bracket. */
function statFieldsOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
