import { expect, it } from 'vitest';
import { grafanaLink } from './grafana-link.ts';

it('names the dashboard of the language, the machine, and where we are', () => {
  const link = (url: string | null) => grafanaLink(url, 'hoalac/press/M 01', 'vi', 'https://nhip.example.vn');
  const path = '/d/nhip-machine-vi?var-machine=hoalac%2Fpress%2FM%2001&var-nhip=https%3A%2F%2Fnhip.example.vn';
  expect(link('https://grafana.example.vn')).toBe(`https://grafana.example.vn${path}`);
  expect(link('http://10.0.0.5/grafana/')).toBe(`http://10.0.0.5/grafana${path}`);
  expect(link(null)).toBeNull();
  expect(link('javascript:alert(1)//')).toBeNull();
});
