import { describe, expect, it } from 'vitest';
import { deviceStatus } from './device-status.ts';

describe('deviceStatus', () => {
  it('names the place where the way to the machine is broken', () => {
    expect(deviceStatus(true, 'online', 'running')).toBe('online');
    expect(deviceStatus(true, 'online', 'stopped')).toBe('off');
    expect(deviceStatus(true, 'plcUnreachable', 'stopped')).toBe('plcUnreachable');
    expect(deviceStatus(false, 'plcUnreachable', 'running')).toBe('agentOffline');
    expect(deviceStatus(true, 'online', null)).toBe('online');
  });
});
