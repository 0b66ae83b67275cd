// How the command line is read.
import { expect, test } from 'vitest';
import { parseArguments, type CommandSpec } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/commands.ts';

const spec: CommandSpec = {
  usage: 'thing [one]',
  about: '',
  options: [
    { flags: '-f, --follow', about: '' },
    { flags: '-n, --lines <n>', about: '' },
  ],
  load: () => Promise.reject(new Error('not here')),
};

test.each([
  [[], [], {}],
  [['x', '-f'], ['x'], { follow: true }],
  [['--lines', '5', '--follow'], [], { lines: '5', follow: true }],
  [['-n', '5', 'x'], ['x'], { lines: '5' }],
  [['--lines=5'], [], { lines: '5' }],
])('%j is understood', (argv, words, options) => {
  const args = parseArguments(spec, argv);
  expect(args.words).toEqual(words);
  expect({ ...args.options }).toEqual(options);
});

test.each([
  [['--folow'], 'Unknown option --folow. Did you mean --follow?'],
  [['--xyz'], 'Unknown option --xyz.'],
  [['--lines'], '--lines needs a value.'],
  [['--follow=yes'], '--follow takes no value.'],
  [['a', 'b'], '"b" is too much here.'],
])('%j is refused: %s', (argv, message) => {
  expect(() => parseArguments(spec, argv)).toThrow(message);
});

test('every command can be loaded, and its name is the first word of its usage', async () => {
  for (const [name, command] of Object.entries(COMMANDS)) {
    expect(command.usage.split(' ')[0]).toBe(name);
    expect((await command.load()).run).toBeTypeOf('function');
  }
});
