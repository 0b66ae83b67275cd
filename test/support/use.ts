// Fixtures that end with the test that asked for them, however it ends.
import { onTestFinished } from 'vitest';
import { ScriptedService, type ServiceOptions } from './scripted-service.ts';

export async function useService(options: Partial<ServiceOptions> = {}): Promise<ScriptedService> {
  const service = await ScriptedService.start(options);
  onTestFinished(() => service.close());
  return service;
}
