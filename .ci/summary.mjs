// node .ci/summary.mjs <vitest's JSON report> [failed step…]
// Prints the closing line of a CI run and exits with its verdict. Each test counts, and each step that failed counts
// as one more failure; that of the tests only where no failed test accounts for it.
import { readFileSync } from 'node:fs';

const [reportFile, ...failedSteps] = process.argv.slice(2);

let report = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };
try {
  report = JSON.parse(readFileSync(reportFile, 'utf8'));
} catch (error) {
  console.log(`No test report: ${error.message}`);
  if (!failedSteps.includes('test')) failedSteps.push('test');
}

const passed = report.numPassedTests;
const skipped = report.numPendingTests + report.numTodoTests;
const counted = failedSteps.filter((step) => step !== 'test' || report.numFailedTests === 0);
const failed = report.numFailedTests + counted.length;

if (failedSteps.length > 0) console.log(`Failed steps: ${failedSteps.join(', ')}`);
if (passed + report.numFailedTests === 0) console.log('No test ran.');
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
