// A vitest reporter that tells what a green run would hide: which tests were skipped and why, and which failed at first and passed
// when they were run once more.
export default class CandidReporter {
  /** @param {ReadonlyArray<import('vitest/node').TestModule>} modules */
  onTestRunEnd(modules) {
    const skipped = [];
    const flaky = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const result = test.result();
        const name = `  ${module.relativeModuleId} > ${test.fullName}`;
        if (result.state === 'skipped') skipped.push(`${name}: ${result.note || 'no reason given'}`);
        if (test.diagnostic()?.flaky) flaky.push(`${name}: ${result.errors?.[0]?.message ?? 'no message'}`);
      }
    }
    if (skipped.length > 0) console.log(`\nSkipped, ${skipped.length} in all:\n${skipped.join('\n')}`);
    if (flaky.length > 0)
      console.log(`\nPassed only when run once more, ${flaky.length} in all:\n${flaky.join('\n')}`);
  }
}
