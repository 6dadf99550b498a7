import { storeSuite } from '@nhip/stores/testing/store-suite';
import { createMemoryPlace, createMemoryStore } from './memory-store.ts';

storeSuite('memory', () => {
  const place = createMemoryPlace();
  return { store: createMemoryStore(place), reopen: () => createMemoryStore(place), dispose: async () => {} };
});
