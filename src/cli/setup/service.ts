// Whether the service can be used, by the doctor's own steps, and the sign-in where it asks for one.

import type { CommandContext } from '../command.ts';
import { examine } from '../doctor/examine.ts';
import type { StepResult } from '../doctor/step.ts';
import { EXIT } from '../exit-codes.ts';
import { stepLines } from '../render/doctor-view.ts';
import type { Reporter } from './reporter.ts';
import type { Wishes } from './wishes.ts';

export type ServiceState = 'usable' | 'sign-in' | 'failed';

export async function checkService(
  wishes: Wishes,
  context: CommandContext,
  reporter: Reporter,
): Promise<ServiceState> {
  const waits: StepResult[] = [];
  const { steps } = await examine(
    targetOf(wishes),
    context,
    (result) => {
      // That it wants a sign-in is no failure here: that comes next.
      if ((result.step === 'handshake' || result.step === 'sign-in') && result.kind === 'failed')
        waits.push(result);
      else if (result.kind !== 'skipped') reporter.say(stepLines(result, reporter).join('\n'));
    },
    { flags: flagsOf(wishes), withClients: false },
  );
  const failed = steps.filter(({ kind }) => kind === 'failed');
  if (failed.length === 0) return 'usable';
  if (failed.some(({ step }) => step === 'sign-in')) {
    reporter.step('ok', 'sign-in', 'the service asks for one');
    return 'sign-in';
  }
  for (const result of waits) reporter.say(stepLines(result, reporter).join('\n'));
  return 'failed';
}

/** As `mcp-bridge login` does it, with a person who must be there. Whether there is a sign-in afterwards. */
export async function signIn(wishes: Wishes, context: CommandContext, isInsecure: boolean): Promise<boolean> {
  const { run } = await import('../login.ts');
  const options = { 'allow-http': wishes.allowHttp, 'insecure-storage': isInsecure };
  return (await run({ words: [targetOf(wishes)], options }, context)) === EXIT.ok;
}

function targetOf({ url, name }: Wishes): string {
  return url?.href ?? name;
}

function flagsOf({ allowHttp }: Wishes): Readonly<Record<string, boolean>> {
  return allowHttp ? { 'allow-http': true } : {};
}
