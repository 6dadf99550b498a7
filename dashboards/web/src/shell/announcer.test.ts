import { describe, expect, it } from 'vitest';
import { createAnnouncer } from './announcer.ts';

describe('createAnnouncer', () => {
  it('speaks of trouble and its end, not of the first sight or of quiet changes', () => {
    const announcer = createAnnouncer();
    announcer.see('a', 'CNC-01', 'fault');
    announcer.see('b', 'CNC-02', 'running');
    announcer.see('b', 'CNC-02', 'idle');
    expect(announcer.take()).toBeNull();
    announcer.see('a', 'CNC-01', 'running');
    announcer.see('b', 'CNC-02', 'plcUnreachable');
    expect(announcer.take()).toEqual({ count: 2, last: { machine: 'CNC-02', look: 'plcUnreachable' } });
    expect(announcer.take()).toBeNull();
  });
});
