// What a refused configuration is told.
import { ConfigError } from '../../src/config/config-file.ts';

/** The message of the ConfigError; throws where there is none. */
export function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}
