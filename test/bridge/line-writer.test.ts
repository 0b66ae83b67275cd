// Lines into a stream that takes them at its own pace.
import { Writable } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { LineWriter } from '../../src/bridge/line-writer.ts';
import { settle } from '../support/fake-clock.ts';

/** An output that takes the next chunk only when told to. */
class SlowOutput extends Writable {
  readonly taken: Buffer[] = [];
  #release: (() => void) | undefined;

  constructor(highWaterMark = 64) {
    super({ highWaterMark });
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.taken.push(Buffer.from(chunk));
    this.#release = done;
  }

  /** Lets it take all that waits. */
  async drain(): Promise<void> {
    await settle();
    while (this.#release !== undefined) {
      const release = this.#release;
      this.#release = undefined;
      release();
      await settle();
    }
  }

  get text(): string {
    return Buffer.concat(this.taken).toString();
  }
}

const line = (length: number, letter = 'x'): Buffer => Buffer.from(letter.repeat(length));

describe('BR9 the output', () => {
  test('gets each message on a line of its own, in order, short and long ones', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.nat(100), fc.integer({ min: 16_380, max: 16_390 }), fc.constant(100_000)), {
          maxLength: 8,
        }),
        async (lengths) => {
          const output = new SlowOutput();
          const writer = new LineWriter(output);
          const lines = lengths.map((length, i) => line(length, String.fromCharCode(97 + i)));
          for (const each of lines) writer.write(each);
          await output.drain();
          expect(output.text).toBe(lines.map((each) => `${each.toString()}\n`).join(''));
        },
      ),
      { numRuns: 50 },
    );
  });

  test('holds nothing back for good when who takes a line answers it in that moment', async () => {
    const text: string[] = [];
    const output = new Writable({
      write(chunk: Buffer, _encoding, done) {
        text.push(chunk.toString());
        if (text.length === 1) writer.write(line(3, 'b'));
        done();
      },
    });
    const writer = new LineWriter(output);
    writer.write(line(3, 'a'));
    await settle();
    await settle();
    expect(text.join('')).toBe('aaa\nbbb\n');
    expect(output.writableCorked).toBe(0);
  });

  test('gets a line that comes alone at once, and what follows in that turn of the event loop together', async () => {
    const writes: string[][] = [];
    const output = new Writable({
      write: (chunk, _encoding, done) => {
        writes.push([String(chunk)]);
        done();
      },
      writev: (pieces, done) => {
        writes.push(pieces.map(({ chunk }) => String(chunk)));
        done();
      },
    });
    const writer = new LineWriter(output);
    writer.write(line(2, 'a'));
    expect(writes).toEqual([['aa\n']]);
    writer.write(line(2, 'b'));
    writer.write([line(1, 'c'), line(1, 'd')]);
    expect(writes).toEqual([['aa\n']]);
    await settle();
    expect(writes.splice(0)).toEqual([['aa\n'], ['bb\n', 'c', 'd', '\n']]);

    // Where several came before, several are awaited.
    writer.write(line(2, 'e'));
    expect(writes).toEqual([]);
    await settle();
    expect(writes.splice(0)).toEqual([['ee\n']]);
    writer.write(line(2, 'f'));
    expect(writes).toEqual([['ff\n']]);
  });

  test('waits for nothing behind a line that is the last one for now', async () => {
    const output = new SlowOutput(1e6);
    const writes = vi.spyOn(output, '_write');
    const writer = new LineWriter(output);
    writer.write(line(2, 'a'), true);
    writer.write(line(2, 'b'), true);
    await output.drain();
    expect(output.text).toBe('aa\nbb\n');
    writes.mockClear();
    // One that comes behind others is held with them, and let go.
    writer.write(line(2, 'c'));
    writer.write(line(2, 'd'), true);
    expect(writes).toHaveBeenCalledTimes(1);
    await output.drain();
    expect(output.text).toBe('aa\nbb\ncc\ndd\n');
  });

  test('is ready while it has room', () => {
    const writer = new LineWriter(new SlowOutput());
    expect(writer.ready()).toBeUndefined();
    writer.write(line(10));
    expect(writer.ready()).toBeUndefined();
  });

  test('is not ready from when it is full until it has drained', async () => {
    const output = new SlowOutput();
    const writer = new LineWriter(output);
    writer.write(line(100));
    const ready = writer.ready();
    expect(ready).toBeInstanceOf(Promise);
    let isReady = false;
    void ready?.then(() => (isReady = true));
    await settle();
    expect(isReady).toBe(false);

    await output.drain();
    expect(isReady).toBe(true);
    expect(writer.ready()).toBeUndefined();
  });

  test('is waited for by many with one listener', async () => {
    const output = new SlowOutput();
    const writer = new LineWriter(output);
    for (let i = 0; i < 50; i += 1) writer.write(line(100));
    expect(writer.ready()).toBe(writer.ready());
    expect(output.listenerCount('drain')).toBe(1);
    await output.drain();
    expect(output.listenerCount('drain')).toBe(0);
    expect(output.text.match(/\n/g)).toHaveLength(50);
  });

  test('fills up again after it has drained', async () => {
    const output = new SlowOutput();
    const writer = new LineWriter(output);
    for (let round = 0; round < 3; round += 1) {
      writer.write(line(100));
      expect(writer.ready()).toBeInstanceOf(Promise);
      await output.drain();
      expect(writer.ready()).toBeUndefined();
    }
  });
});

describe('BR10 an output that has closed', () => {
  test('holds nobody back', async () => {
    const output = new SlowOutput();
    const writer = new LineWriter(output);
    writer.write(line(100));
    const ready = writer.ready();
    output.destroy();
    await ready;
    expect(writer.ready()).toBeUndefined();
  });

  test('is written to without harm', async () => {
    const ended = new SlowOutput();
    ended.end();
    const destroyed = new SlowOutput();
    destroyed.destroy();
    for (const output of [ended, destroyed]) {
      const errors: Error[] = [];
      output.on('error', (error) => errors.push(error));
      const writer = new LineWriter(output);
      writer.write(line(10));
      writer.write(line(100_000));
      await settle();
      expect(errors).toEqual([]);
      expect(output.taken).toEqual([]);
      expect(writer.ready()).toBeUndefined();
    }
  });
});
