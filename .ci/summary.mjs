// node .ci/summary.mjs STEP=REPORT… [failed step…]
// Prints the closing line of a CI run and exits with its verdict. STEP=REPORT names a step that ran tests, and vitest's JSON report of
// it. Each test counts, and each step that failed counts as one more failure; one that ran tests only where no failed test of its own
// accounts for it.
import { readFileSync } from 'node:fs';

const words = process.argv.slice(2);
const failedSteps = words.filter((word) => !word.includes('='));
const total = { passed: 0, failed: 0, skipped: 0 };
const accounted = new Set();

for (const word of words.filter((each) => each.includes('='))) {
  const [step, file] = word.split('=');
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    total.passed += report.numPassedTests;
    total.failed += report.numFailedTests;
    total.skipped += report.numPendingTests + report.numTodoTests;
    if (report.numFailedTests > 0) accounted.add(step);
    if (report.numPassedTests + report.numFailedTests > 0) continue;
    console.log(`No test ran in the step ${step}.`);
  } catch (error) {
    console.log(`No test report of the step ${step}: ${error.message}`);
  }
  if (!failedSteps.includes(step)) failedSteps.push(step);
}

const failed = total.failed + failedSteps.filter((step) => !accounted.has(step)).length;
if (failedSteps.length > 0) console.log(`Failed steps: ${failedSteps.join(', ')}`);
console.log(
  `${total.passed} passed, ${failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`,
);
process.exitCode = failed === 0 && total.passed > 0 ? 0 : 1;
