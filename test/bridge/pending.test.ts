import { describe, expect, test } from 'vitest';
import { PendingTable } from '../../src/bridge/pending.ts';
import { messageOf, requestOf } from '../support/envelopes.ts';

const noReply = (): void => {};

describe('BR13 a request that waits', () => {
  test('is settled once, and only once', () => {
    const table = new PendingTable();
    const pending = table.open(requestOf(1, 'm'), 0, noReply)!;
    expect(table.size).toBe(1);
    expect(table.settle(pending)).toBe(true);
    expect(table.settle(pending)).toBe(false);
    expect(table.size).toBe(0);
  });

  test('is not settled by an earlier one that had its id', () => {
    const table = new PendingTable();
    const first = table.open(requestOf(1, 'm'), 0, noReply)!;
    table.settle(first);
    const second = table.open(requestOf(1, 'm'), 0, noReply)!;
    expect(table.settle(first)).toBe(false);
    expect(table.find(1)).toBe(second);
    expect(table.settle(second)).toBe(true);
  });

  test('keeps its id to itself, however it is written', () => {
    const table = new PendingTable();
    expect(table.open(messageOf('{"jsonrpc":"2.0","id":"a","method":"m"}'), 0, noReply)).toBeDefined();
    expect(
      table.open(messageOf('{"jsonrpc":"2.0","id":"\\u0061","method":"m"}'), 0, noReply),
    ).toBeUndefined();
    expect(table.size).toBe(1);
  });

  test('BR3 is told from one whose id is of another type', () => {
    const table = new PendingTable();
    const ids = [1, '1', 0, '0', -1, '', 'null'];
    const opened = ids.map((id) => table.open(requestOf(id, 'm'), 0, noReply));
    expect(opened.map((pending) => pending?.id)).toEqual(ids.map((id) => JSON.stringify(id)));
    expect(table.all()).toEqual(opened);
  });

  test('BR6 is found by its id, however it is written, and withdrawn with the reason', () => {
    const table = new PendingTable();
    const pending = table.open(requestOf('a/b', 'm'), 0, noReply)!;
    expect(table.find('"a\\/b"')).toBe(pending);
    expect(table.find('"a"')).toBeUndefined();
    pending.withdraw({ kind: 'deadline' });
    expect(pending.signal.aborted).toBe(true);
    expect(pending.signal.reason).toEqual({ kind: 'deadline' });
    // It still waits: whoever works on it settles it.
    expect(table.settle(pending)).toBe(true);
  });

  test('keeps the first reason for which it was withdrawn', () => {
    const pending = new PendingTable().open(requestOf(1, 'm'), 0, noReply)!;
    pending.withdraw({ kind: 'deadline' });
    pending.withdraw({ kind: 'shutdown' });
    expect(pending.signal.reason).toEqual({ kind: 'deadline' });
  });
});
