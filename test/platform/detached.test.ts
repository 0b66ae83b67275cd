// What a background process takes from the environment of the program that happens to start it.
import { expect, test } from 'vitest';
import { sharedEnvironment } from '../../src/platform/detached.ts';

test('DM1 SC3 a background process gets what it needs to find things, on each system', () => {
  const kept = {
    PATH: '/bin',
    HOME: '/home/a',
    XDG_RUNTIME_DIR: '/run/user/1',
    LC_ALL: 'C',
    https_proxy: 'http://proxy:1',
    MCP_BRIDGE_HOME: '/b',
    // As Windows spells them.
    Path: 'C:\\Windows',
    SystemRoot: 'C:\\Windows',
    LOCALAPPDATA: 'C:\\L',
    USERPROFILE: 'C:\\U',
    'ProgramFiles(x86)': 'C:\\P',
  };
  expect(sharedEnvironment({ ...kept })).toEqual(kept);
});

test('DM1 ST4 and neither the secrets of one client nor options for Node.js', () => {
  const left = {
    NODE_OPTIONS: '--inspect',
    MCP_BRIDGE_TOKEN: 'x',
    MCP_BRIDGE_DAEMON: 'on',
    GITHUB_TOKEN: 'x',
    MY_PATH: 'x',
    ELECTRON_RUN_AS_NODE: '1',
  };
  expect(sharedEnvironment(left)).toEqual({});
});
