import { describe, expect, it } from 'vitest';
import { machinePath, parsePath, patchedQuery } from './route.ts';

describe('parsePath', () => {
  it('reads back the id of a machine that the path was made for', () => {
    const id = 'nhà máy/dây 1/ÉP-01';
    expect(parsePath(machinePath(id))).toEqual({ view: 'machine', id });
    expect(parsePath('/m/group/edge/device')).toEqual({ view: 'machine', id: 'group/edge/device' });
  });

  it('knows the other pages', () => {
    expect(parsePath('/')).toEqual({ view: 'overview' });
    expect(parsePath('/connections/')).toEqual({ view: 'health' });
    expect(parsePath('/pipeline')).toEqual({ view: 'pipeline' });
    expect(parsePath('/stops')).toEqual({ view: 'stops' });
    expect(parsePath('/sharing')).toEqual({ view: 'sharing' });
    expect(parsePath('/m/')).toEqual({ view: 'notFound' });
    expect(parsePath('/m/%E0%A4%A')).toEqual({ view: 'notFound' });
    expect(parsePath('/nothing')).toEqual({ view: 'notFound' });
  });
});

describe('patchedQuery', () => {
  it('sets, removes and keeps', () => {
    expect(patchedQuery('?lang=en&q=cnc', { q: null, sort: 'worst' })).toBe('?lang=en&sort=worst');
    expect(patchedQuery('?q=cnc', { q: null })).toBe('');
  });
});
