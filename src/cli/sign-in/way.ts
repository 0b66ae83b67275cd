// Which way to sign in, from what was asked for, what the server offers, and where the person sits. Pure.

import { UsageError, type Arguments } from '../command.ts';

export type Way = 'token' | 'credentials' | 'device' | 'browser' | 'address';

export interface Offer {
  /** Whether a browser that opens here would be before the person's eyes. */
  readonly hasScreen: boolean;
  readonly hasDeviceFlow: boolean;
}

/** What the options alone say; undefined leaves it to `chooseWay`. @throws UsageError where they contradict each other */
export function askedWay({ options }: Pick<Arguments, 'options'>): Way | undefined {
  const asked: [string, Way][] = [
    ['token', 'token'],
    ['client-credentials', 'credentials'],
    ['device', 'device'],
    ['no-browser', 'address'],
  ];
  const given = asked.filter(([name]) => options[name] === true);
  if (given.length > 1) {
    const names = given.map(([name]) => `--${name}`).join(' and ');
    throw new UsageError(`${names} do not go together: each is a way to sign in.`);
  }
  const way = given[0]?.[1];
  const needs = (name: string, other: string, isThere: boolean): void => {
    if (options[name] !== undefined && !isThere) throw new UsageError(`--${name} needs ${other}.`);
  };
  const hasId = options['client-id'] !== undefined;
  needs('client-secret', '--client-id', hasId);
  needs('client-credentials', '--client-id', hasId);
  needs('private-key', '--client-credentials', way === 'credentials');
  return way;
}

export function chooseWay(asked: Way | undefined, { hasScreen, hasDeviceFlow }: Offer): Way {
  if (asked !== undefined) return asked;
  if (hasScreen) return 'browser';
  return hasDeviceFlow ? 'device' : 'address';
}
