import { afterAll, beforeAll, expect, it } from 'vitest';
import { codeLists } from '../../contract/codes/codes.ts';
import { openTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { createTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let opened: TestDatabase;
let server: TestPlatform;
beforeAll(async () => {
  opened = await openTestDatabase();
  server = await createTestPlatform(opened.database);
}, 120_000);
afterAll(() => opened.remove());

const get = async (url: string) => server.call('GET', url);

it('gives everybody the code lists, each with its dates, its source and its codes', async () => {
  const { json } = await get('/v1/codes');
  const lists = json.lists as { id: string; source: string }[];
  expect(lists.map(({ id }) => id)).toEqual([...codeLists.keys()]);
  const provinces = (await get('/v1/codes/VN-ADM-2025?validAt=2025-07-01')).json;
  expect(provinces).toMatchObject({ validFrom: '2025-07-01', validTo: null, isComplete: true });
  expect(provinces.items).toHaveLength(34);
  expect((await get('/v1/codes/VSIC2025')).json.codes).toEqual(expect.arrayContaining(['141', '1410', '14100']));
});

it('says of a date on which a list does not hold when it does', async () => {
  const { status, json } = await get('/v1/codes/VSIC2018?validAt=2025-11-15');
  expect([status, json.detail]).toEqual([404, 'VSIC2018 is not valid on 2025-11-15, but from 2018-08-20 to 2025-11-14.']);
  expect((await get('/v1/codes/VSIC2018?validAt=2025-11-14')).status).toBe(200);
  expect((await get('/v1/codes/VSIC2018?validAt=today')).status).toBe(400);
  expect((await get('/v1/codes/constructor')).status).toBe(404);
});

it('maps provinces both ways, and says where there is no mapping', async () => {
  const items = async (from: string, to: string) => (await get(`/v1/codes/${from}/mapping?to=${to}`)).json.items;
  expect(await items('VN-ADM-2004', 'VN-ADM-2025')).toContainEqual({ code: '27', to: ['24'] });
  expect(await items('VN-ADM-2025', 'VN-ADM-2004')).toContainEqual({ code: '79', to: ['74', '77', '79'] });
  expect((await get('/v1/codes/VSIC2018/mapping?to=VSIC2025')).status).toBe(404);
  expect((await get('/v1/codes/VSIC2018/mapping')).status).toBe(400);
});
