import { execFileSync } from 'node:child_process';
import { atExit } from './at-exit.ts';
import type { Surroundings } from './nhip.ts';

/** A network of its own for one process, behind a virtual cable that the kernel cuts, thins and narrows. Needs root. */
export interface OwnNetwork {
  /** Address of this computer as the process sees it: proxies listen here. */
  readonly host: string;
  readonly surroundings: Surroundings;
  /** Unplugs the cable: nothing is closed, nothing arrives. */
  unplug(): void;
  plug(): void;
  /** Drops this share of the packets, 0 to 100 %, both ways. */
  lose(percent: number): void;
  /** At most so many bits a second, both ways; undefined: as fast as can be. */
  narrow(kbitPerS: number | undefined): void;
  remove(): void;
}

let made = 0;

export function createOwnNetwork(): OwnNetwork {
  made++;
  const number = (process.pid * 8 + made) % 16_384;
  const name = `nhip${number}`;
  const [outside, inside] = [`nh${number}a`, `nh${number}b`];
  // 10.213.0.0/16 in pieces of four addresses.
  const base = number * 4;
  const address = (last: number): string => `10.213.${base >> 8}.${(base & 255) + last}`;
  const within = (...line: string[]): void => run('ip', 'netns', 'exec', name, ...line);
  run('ip', 'netns', 'add', name);
  run('ip', 'link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', name);
  run('ip', 'addr', 'add', `${address(1)}/30`, 'dev', outside);
  run('ip', 'link', 'set', outside, 'up');
  within('ip', 'addr', 'add', `${address(2)}/30`, 'dev', inside);
  within('ip', 'link', 'set', inside, 'up');
  within('ip', 'link', 'set', 'lo', 'up');
  // The virtual cable goes with either end.
  const remove = atExit(() => run('ip', 'netns', 'del', name));
  let isNarrow = false;
  return {
    host: address(1),
    surroundings: { wrapper: ['ip', 'netns', 'exec', name] },
    unplug: () => run('ip', 'link', 'set', outside, 'down'),
    plug: () => run('ip', 'link', 'set', outside, 'up'),
    lose(percent) {
      const chain = (hook: string): string =>
        `chain ${hook} {\ntype filter hook ${hook} priority 0;\nnumgen random mod 100 < ${percent} drop\n}\n`;
      within('nft', 'flush', 'ruleset');
      if (percent > 0) within('nft', `table inet lossy {\n${chain('input')}${chain('output')}}\n`);
    },
    narrow(kbitPerS) {
      if (kbitPerS === undefined && !isNarrow) return;
      const queue = (device: string): readonly string[] =>
        kbitPerS === undefined
          ? ['tc', 'qdisc', 'del', 'dev', device, 'root']
          : ['tc', 'qdisc', 'replace', 'dev', device, 'root', 'tbf', 'rate', `${kbitPerS}kbit`, 'burst', '4kb', 'latency', '400ms'];
      run(...queue(outside));
      within(...queue(inside));
      isNarrow = kbitPerS !== undefined;
    },
    remove,
  };
}

function run(...line: string[]): void {
  const [file = '', ...args] = line;
  execFileSync(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
