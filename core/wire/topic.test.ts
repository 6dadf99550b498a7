import { describe, expect, it } from 'vitest';
import { parseTopic, sparkplugTopic } from './topic.ts';

describe('topics', () => {
  it('parses both lanes', () => {
    expect(parseTopic('spBv1.0/g/DDATA/e/d')).toEqual({ lane: 'sparkplug', group: 'g', type: 'DDATA', edge: 'e', device: 'd' });
    expect(parseTopic('spBv1.0/g/NDEATH/e')).toEqual({ lane: 'sparkplug', group: 'g', type: 'NDEATH', edge: 'e', device: '' });
    expect(parseTopic('json/g/e/d/Temp/Oil')).toEqual({ lane: 'json', group: 'g', edge: 'e', device: 'd', metric: 'Temp/Oil' });
    expect(parseTopic('json/g/e/d')).toMatchObject({ metric: '' });
    expect(sparkplugTopic('g', 'DBIRTH', 'e', 'd')).toBe('spBv1.0/g/DBIRTH/e/d');
  });

  it.each([
    '',
    'x',
    'spBv1.0',
    'spBv1.0/g/DDATA/e',
    'spBv1.0/g/NDATA/e/d',
    'spBv1.0/g/XDATA/e',
    'spBv1.0/g/NDATA/+',
    'json/g/e',
    'json/g/../d',
    'json/./e/d',
    'json/g/e/d//x',
    'spBv1.0/g#/NDATA/e',
    'json/g/e/\u0000',
    `json/g/e/${'x'.repeat(65)}`,
  ])('refuses %j and says why', (topic) => {
    expect(() => parseTopic(topic)).toThrow(/topic ".*": /);
  });
});
