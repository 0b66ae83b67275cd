// The settings as they are where nobody has set any.
import { SETTINGS, type Settings } from '../../src/config/settings.ts';

export const defaultSettings = Object.fromEntries(
  Object.entries(SETTINGS).map(([name, spec]) => [name, spec.default]),
) as unknown as Settings;
