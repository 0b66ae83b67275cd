/** Whether `version` is newer than `other`, by SemVer's three numbers; anything else counts as not newer. */
export function isNewer(version: string, other: string): boolean {
  const mine = numbersOf(version);
  const theirs = numbersOf(other);
  if (mine === undefined || theirs === undefined) return false;
  for (const [n, number] of mine.entries()) {
    const difference = number - (theirs[n] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function numbersOf(version: string): number[] | undefined {
  return /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
}
